"""Tests of rocketmq_tw.broker.tables."""
