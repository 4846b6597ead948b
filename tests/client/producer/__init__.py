"""Tests of rocketmq_tw.client.producer."""
