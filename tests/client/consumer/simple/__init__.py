"""Tests of rocketmq_tw.client.consumer.simple."""
