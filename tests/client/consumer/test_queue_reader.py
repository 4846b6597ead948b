"""Reading a queue by offset."""

from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.pull_result import PullStatus
from rocketmq_tw.client.consumer.queue_reader import QueueReader
from rocketmq_tw.client.errors import OffsetOutOfRange
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    SearchOffset,
)
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.client.fakes import FakeSession, pulled, queues, stored

QUEUE = queues("T", 1)[0]


class QueueReaderTests(SynchronousTestCase):
    """The reader, without a network."""

    def setUp(self) -> None:
        """Make a reader."""
        self.session = FakeSession({"T": 1})
        self.reader = QueueReader(self.session.brokers, "G")  # type: ignore[arg-type]

    def test_found(self) -> None:
        """Messages come decoded, with the queue's bounds."""
        body = stored(7) + stored(8)
        self.session.brokers.responses[PullMessage] = pulled(body=body)
        result = self.successResultOf(self.reader.pull(QUEUE, 7))
        self.assertEqual([m.queue_offset for m in result.messages], [7, 8])
        self.assertEqual((result.next_offset, result.max_offset), (9, 20))
        self.assertEqual(result.messages[0].broker_name, "broker-a")
        self.assertEqual(result.messages[0].properties["MAX_OFFSET"], "20")

    def test_filtered_by_text(self) -> None:
        """Tags that share a hash code with a wanted one are dropped here."""
        body = stored(1, "Aa") + stored(2, "BB") + stored(3)
        self.session.brokers.responses[PullMessage] = pulled(body=body)
        found = self.reader.pull(QUEUE, 1, expression="Aa")
        messages = self.successResultOf(found).messages
        self.assertEqual([m.queue_offset for m in messages], [1])
        request = self.session.brokers.calls[0][1]
        self.assertEqual((request.subscription, request.sys_flag), ("Aa", 4))

    def test_compressed(self) -> None:
        """Bodies come inflated; one that cannot be is given as it is."""
        compressed = zlib.compress(b"plain")
        body = stored(1, body=compressed, sys_flag=1) + stored(2, body=b"?", sys_flag=1)
        self.session.brokers.responses[PullMessage] = pulled(body=body)
        messages = self.successResultOf(self.reader.pull(QUEUE, 1)).messages
        self.assertEqual([m.body for m in messages], [b"plain", b"?"])

    def test_waits(self) -> None:
        """With a wait the broker may hold the request so long."""
        self.session.brokers.responses[PullMessage] = pulled(19)
        found = self.reader.pull(QUEUE, 9, wait=2.5)
        self.assertIs(self.successResultOf(found).status, PullStatus.NO_NEW)
        request = self.session.brokers.calls[0][1]
        self.assertEqual((request.suspend_timeout_millis, request.sys_flag), (2500, 6))

    def test_out_of_range(self) -> None:
        """An offset that the queue does not hold fails, with the broker's proposal."""
        self.session.brokers.responses[PullMessage] = pulled(21, next_offset=3)
        failure = self.failureResultOf(self.reader.pull(QUEUE, 0), OffsetOutOfRange)
        self.assertEqual(failure.value.suggested, 3)

    def test_offsets(self) -> None:
        """Both ends, and the offset of a time."""
        self.session.brokers.responses = {
            GetMinOffset: OffsetResponse(offset=1),
            GetMaxOffset: OffsetResponse(offset=20),
            SearchOffset: lambda r: OffsetResponse(offset=r.timestamp),
        }
        self.assertEqual(self.successResultOf(self.reader.min_offset(QUEUE)), 1)
        self.assertEqual(self.successResultOf(self.reader.max_offset(QUEUE)), 20)
        self.assertEqual(self.successResultOf(self.reader.search(QUEUE, 1.5)), 1500)
