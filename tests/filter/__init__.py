"""Tests of rocketmq_tw.filter."""
