"""Tests of rocketmq_tw.broker.transactions."""
