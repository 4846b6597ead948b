"""Tests of :mod:`rocketmq_tw.remoting`."""
