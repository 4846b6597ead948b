"""Tests of rocketmq_tw.store.index."""
