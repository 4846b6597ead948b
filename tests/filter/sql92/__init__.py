"""Tests of rocketmq_tw.filter.sql92."""
