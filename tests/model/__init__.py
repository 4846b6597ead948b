"""Tests of rocketmq_tw.model."""
