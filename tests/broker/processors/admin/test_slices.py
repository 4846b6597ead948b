"""Tests of encoding tables of many queues in slices."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.slices import QUEUES, encode_in_slices
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire.bodies.stats import TopicOffset, TopicStatsTable


class SlicesTests(SynchronousTestCase):
    """Tables of queues."""

    def setUp(self) -> None:
        """Note how many queues each slice has."""
        self.sizes: list[int] = []

    def encode(self, queues: list[MessageQueue]) -> bytes:
        """Encode the table of some queues."""
        self.sizes.append(len(queues))
        return TopicStatsTable(dict.fromkeys(queues, TopicOffset())).encode()

    def encoded(self, count: int) -> Steps[bytes]:
        """Encode the table of so many queues."""
        queues = (MessageQueue("T", "b", each) for each in range(count))
        return encode_in_slices(queues, self.encode)

    def last(self, steps: Steps[bytes]) -> TopicStatsTable:
        """Run the last step, and return its result."""
        end = self.assertRaises(StopIteration, next, steps)
        return TopicStatsTable.decode(end.value)

    def test_few(self) -> None:
        """One slice is done at once; there is a table of no queues too."""
        for count in (0, 1, QUEUES - 1):
            table = self.last(self.encoded(count))
            self.assertEqual(len(table.offset_table), count)
        self.assertEqual(self.sizes, [0, 1, QUEUES - 1])

    def test_many(self) -> None:
        """Each further slice is a step."""
        steps = self.encoded(2 * QUEUES + 7)
        self.assertIsNone(next(steps))
        self.assertEqual(self.sizes, [QUEUES])
        self.assertIsNone(next(steps))
        table = self.last(steps)
        self.assertEqual(len(table.offset_table), 2 * QUEUES + 7)
        self.assertEqual(self.sizes, [QUEUES, QUEUES, 7])

    def test_slow(self) -> None:
        """A slice may have to wait for the disk; it may fail."""
        disk: Deferred[bytes] = Deferred()
        queues = [MessageQueue("T", "b", 0)]
        steps = encode_in_slices(queues, lambda queues: disk)
        self.assertIs(next(steps), disk)
        self.assertRaises(OSError, steps.throw, OSError("the disk is gone"))
