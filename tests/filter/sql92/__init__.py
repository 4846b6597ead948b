"""Tests of :mod:`rocketmq_tw.filter.sql92`."""
