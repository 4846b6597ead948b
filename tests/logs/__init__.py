"""Tests of :mod:`rocketmq_tw.logs`."""
