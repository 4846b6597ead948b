"""Tests of rocketmq_tw.broker.dedupe."""
