"""Tests of rocketmq_tw.client.transactions."""
