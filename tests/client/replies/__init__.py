"""Tests of rocketmq_tw.client.replies."""
