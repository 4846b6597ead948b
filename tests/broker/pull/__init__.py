"""Tests of rocketmq_tw.broker.pull."""
