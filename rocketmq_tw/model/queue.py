"""
One queue of a topic on one broker: producers choose one, consumers get assigned some.

Source: ``MessageQueue`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec


class MessageQueue(msgspec.Struct, frozen=True, order=True, rename="camel", gc=False):
    """
    Identifies one queue. Sorts like Java's ``compareTo``: topic, broker name, queue id.

    The order matters: all members of a group sort the same list when they rebalance.
    """

    topic: str
    broker_name: str
    queue_id: int
