"""Tests of rocketmq_tw.namesrv."""
