"""Tests of :mod:`rocketmq_tw.metrics.broker`."""
