"""Tests of rocketmq_tw.model.queue."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue


class MessageQueueTests(SynchronousTestCase):
    """A queue is a value that sorts as in Java."""

    def test_order_is_topic_broker_name_queue_id(self) -> None:
        """Members that sort the same queues must get the same list."""
        in_order = [
            MessageQueue("A", "b", 1),
            MessageQueue("B", "a", 9),
            MessageQueue("B", "a", 10),
            MessageQueue("B", "b", 0),
        ]
        self.assertEqual(sorted(reversed(in_order)), in_order)

    def test_equal_queues_are_one_key(self) -> None:
        """Two instances of the same queue are one key of a table."""
        table = {MessageQueue("T", "b", 0): 1}
        table[MessageQueue("T", "b", 0)] = 2
        self.assertEqual(table, {MessageQueue("T", "b", 0): 2})

    def test_wire_names(self) -> None:
        """The wire names are those of Java's bean."""
        self.assertEqual(
            msgspec.json.encode(MessageQueue("T", "b", 3)),
            b'{"topic":"T","brokerName":"b","queueId":3}',
        )
