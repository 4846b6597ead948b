"""Membership in a consumer group: heartbeats, rebalance, assigned queues."""
