"""Tests of rocketmq_tw.remoting."""
