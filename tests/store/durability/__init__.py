"""Tests of rocketmq_tw.store.durability."""
