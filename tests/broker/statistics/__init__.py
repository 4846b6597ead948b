"""Tests of rocketmq_tw.broker.send."""
