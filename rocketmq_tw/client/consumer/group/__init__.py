"""Membership in a consumer group: rebalance, and which queues are ours."""
