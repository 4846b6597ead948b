"""Tests of rocketmq_tw.store.files."""
