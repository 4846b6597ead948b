"""Tests of rocketmq_tw.broker.delay."""
