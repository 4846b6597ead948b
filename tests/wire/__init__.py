"""Tests of rocketmq_tw.wire."""
