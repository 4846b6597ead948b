"""Tests of rocketmq_tw.broker.assignment."""
