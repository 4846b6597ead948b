"""Tests of rocketmq_tw.client.consumer.group."""
