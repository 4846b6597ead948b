"""Tests of :mod:`rocketmq_tw.replication`."""
