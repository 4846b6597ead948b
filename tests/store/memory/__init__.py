"""Tests of rocketmq_tw.store.memory."""
