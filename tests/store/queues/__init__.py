"""Tests of rocketmq_tw.store.queues."""
