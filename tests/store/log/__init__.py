"""Tests of rocketmq_tw.store.log."""
