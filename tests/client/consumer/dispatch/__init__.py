"""Tests of rocketmq_tw.client.consumer.dispatch."""
