"""Tests of rocketmq_tw.broker.pop."""
