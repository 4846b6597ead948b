"""Tests of rocketmq_tw.broker.reply."""
