"""When a queue is not pulled further."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.limits import CacheSize, PullLimits, is_over
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from tests.client.fakes import message, queues


class LimitTests(SynchronousTestCase):
    """A queue that holds two messages of 1 MiB, at offsets 0 and 10."""

    def setUp(self) -> None:
        """Fill the queue."""
        self.cache = CacheSize()
        self.messages = ProcessQueue(queues("T", 1)[0], self.cache)
        self.messages.put([message(0, b"x" * (1 << 20)), message(10, b"x" * (1 << 20))])

    def is_over(self, **limits: int) -> bool:
        """Compare with some limits, the others being high."""
        return is_over(PullLimits(**limits), self.messages, self.cache)

    def test_each(self) -> None:
        """Each limit is exceeded by itself, and only by more than it allows."""
        self.assertFalse(self.is_over())
        for name, held in (("messages", 2), ("span", 10), ("total_size", 2 << 20)):
            self.assertFalse(self.is_over(**{name: held}), name)
            self.assertTrue(self.is_over(**{name: held - 1}), name)

    def test_size_is_compared_in_mib(self) -> None:
        """As in Java, a part of a MiB does not count."""
        self.assertFalse(self.is_over(size=2 << 20))
        self.assertTrue(self.is_over(size=(2 << 20) - 1))

    def test_empty(self) -> None:
        """An empty queue is pulled, however much the others hold."""
        empty = ProcessQueue(queues("T", 2)[1], self.cache)
        self.assertFalse(is_over(PullLimits(total_size=1), empty, self.cache))
