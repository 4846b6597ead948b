"""Tests of counting the queues of all topics."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyQueues
from rocketmq_tw.broker.tables.queue_count import QueueCount
from rocketmq_tw.model.topic import TopicConfig


def topic(name: str, read: int, write: int) -> TopicConfig:
    """Return a topic with so many queues."""
    return TopicConfig(name, read_queue_nums=read, write_queue_nums=write)


class QueueCountTests(SynchronousTestCase):
    """Ten queues, at most."""

    def setUp(self) -> None:
        """Count the queues of one topic."""
        self.count = QueueCount(10)
        self.add(topic("A", 4, 2))

    def add(self, config: TopicConfig) -> None:
        """Count a topic that may be so."""
        self.count.check(config)
        self.count.add(config)

    def test_limit(self) -> None:
        """Neither a new topic nor an enlarged one goes above the limit."""
        for refused in (topic("B", 1, 7), topic("A", 11, 1)):
            error = self.assertRaises(TooManyQueues, self.count.check, refused)
            self.assertIn("gets no more queues; maxQueues (10)", str(error))
        self.assertEqual((self.count.total, self.count.refused), (4, 2))
        self.add(topic("B", 6, 6))
        self.assertEqual(self.count.total, 10)

    def test_fewer_queues(self) -> None:
        """Those that a topic had count on, and it may get them back."""
        self.add(topic("A", 1, 1))
        self.assertEqual(self.count.total, 4)
        self.add(topic("B", 6, 6))
        self.add(topic("A", 4, 4))
        self.assertRaises(TooManyQueues, self.count.check, topic("A", 5, 5))

    def test_deleted(self) -> None:
        """The queues of a deleted topic count no more."""
        self.count.remove("A")
        self.count.remove("unknown")
        self.assertEqual(self.count.total, 0)

    def test_stored(self) -> None:
        """Queues that the store has count too, once, also above the limit."""
        self.count.add(topic("A", 1, 1), [0, 1, 3, 100])
        self.assertEqual(self.count.total, 4)
        self.count.add(topic("B", 1, 1), range(20))
        self.assertEqual(self.count.total, 24)
        self.count.check(topic("B", 20, 20))
        self.assertRaises(TooManyQueues, self.count.check, topic("B", 21, 21))
