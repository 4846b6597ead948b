"""Tests of rocketmq_tw.client.trace."""
