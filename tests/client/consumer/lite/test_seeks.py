"""Moving within queues."""

from __future__ import annotations

from datetime import UTC, datetime

from rocketmq_tw.client.errors import NotAssigned, OffsetOutOfRange
from rocketmq_tw.model.queue import MessageQueue
from tests.client.consumer.lite.cases import PullConsumerCase


class SeekTests(PullConsumerCase):
    """One queue with five messages, a second apart."""

    queue_count = 1

    def setUp(self) -> None:
        """Store and read them."""
        super().setUp()
        self.begin = self.clock.seconds()
        for _ in range(5):
            self.send(1)
            self.cluster.advance(1)
        self.queue = self.queues[0]
        self.reader = self.started()
        self.poll(self.reader)

    def offsets(self) -> list[int]:
        """Poll; give the queue offsets."""
        self.cluster.advance(0.1)
        polled = self.cluster.result_of(self.reader.poll(timeout=0))
        return [message.queue_offset for message in polled]

    def test_back_and_forward(self) -> None:
        """Reading continues at the offset; it is committed, even if lower."""
        self.assertEqual(self.cluster.result_of(self.reader.seek(self.queue, 3)), 3)
        self.assertEqual(self.reader.position(self.queue), 3)
        self.assertEqual(self.offsets(), [3, 4])
        self.cluster.result_of(self.reader.seek(self.queue, 1))
        self.cluster.advance(6)
        self.assertEqual(self.committed(), 1)
        self.assertEqual(self.offsets(), [1, 2, 3, 4])

    def test_outside(self) -> None:
        """An offset that the queue does not contain is refused with the nearest."""
        for offset, suggested in ((6, 5), (-1, 0)):
            error = self.assertRaises(
                OffsetOutOfRange,
                self.cluster.result_of,
                self.reader.seek(self.queue, offset),
            )
            self.assertEqual(error.suggested, suggested)
        self.assertEqual(self.reader.position(self.queue), 5)

    def test_ends(self) -> None:
        """It can begin again, or skip everything."""
        result_of = self.cluster.result_of
        self.assertEqual(result_of(self.reader.seek_to_begin(self.queue)), 0)
        self.assertEqual(self.offsets(), [0, 1, 2, 3, 4])
        result_of(self.reader.seek(self.queue, 2))
        self.assertEqual(result_of(self.reader.seek_to_end(self.queue)), 5)
        self.assertEqual(self.offsets(), [])

    def test_time(self) -> None:
        """It finds the first message at or after a time."""
        when = self.begin + 1.5
        for time in (when, datetime.fromtimestamp(when, UTC)):
            found = self.cluster.result_of(self.reader.seek_to_time(self.queue, time))
            self.assertEqual(found, 2)
        self.assertEqual(self.offsets(), [2, 3, 4])

    def test_not_assigned(self) -> None:
        """Only assigned queues can be moved."""
        other = MessageQueue("T", "broker-a", 7)
        for seeking in (
            self.reader.seek(other, 0),
            self.reader.seek_to_begin(other),
            self.reader.seek_to_time(other, 0),
        ):
            self.failureResultOf(seeking, NotAssigned)

    def test_while_paused(self) -> None:
        """A paused queue continues at the offset once it is resumed."""
        self.reader.pause()
        self.cluster.result_of(self.reader.seek(self.queue, 4))
        self.assertEqual(self.offsets(), [])
        self.reader.resume()
        self.assertEqual(self.offsets(), [4])
