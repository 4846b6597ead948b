"""Repairing an offset that the queue does not hold."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.repair import (
    REPAIR_PAUSE,
    REPAIR_RECENT,
    Repairs,
)
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from tests.client.fakes import FakeSession, queues


class Fetcher:
    """A fetcher that has stopped at offset 7."""

    queue = queues("T", 1)[0]
    next_offset = 7


class RepairsTests(SynchronousTestCase):
    """The repairs of one consumer."""

    def setUp(self) -> None:
        """Let the broker take offsets."""
        self.session = FakeSession({"T": 1})
        self.clock = self.session.clock
        self.session.brokers.responses[UpdateConsumerOffset] = Response()
        brokers: Any = self.session.brokers
        self.offsets = RemoteOffsetStore(brokers, "G")
        self.dropped: list[Any] = []
        self.done: list[Any] = []
        self.repairs = Repairs(
            offsets=self.offsets,
            clock=self.clock,
            drop=self.dropped.append,
            done=self.done.append,
        )
        self.fetcher: Any = Fetcher()

    def committed(self) -> list[int]:
        """Give the offsets that were stored."""
        sent = self.session.brokers.sent(UpdateConsumerOffset)
        return [request.commit_offset for request in sent]

    def test_order(self) -> None:
        """The offset is stored before the queue is taken again, even if it is lower."""
        del self.session.brokers.responses[UpdateConsumerOffset]
        self.offsets.update(self.fetcher.queue, 7)
        self.repairs.begin(self.fetcher, 3)
        self.assertEqual((self.dropped, self.done), ([self.fetcher], []))
        self.offsets.update(self.fetcher.queue, 9)
        self.assertEqual(self.offsets.read(self.fetcher.queue), 3)
        self.session.brokers.calls[-1][2].callback(Response())
        self.assertEqual((self.committed(), self.done), ([3], [self.fetcher]))

    def test_repeated_repair(self) -> None:
        """A second repair in a short while waits: the queue may be moving."""
        self.repairs.begin(self.fetcher, 3)
        self.repairs.begin(self.fetcher, 4)
        self.assertEqual(len(self.done), 1)
        self.clock.advance(REPAIR_PAUSE)
        self.assertEqual(len(self.done), 2)
        self.clock.advance(REPAIR_RECENT)
        self.repairs.begin(self.fetcher, 5)
        self.assertEqual(len(self.done), 3)

    def test_not_stored(self) -> None:
        """If the broker does not take the offset the queue is taken a little later."""
        self.session.brokers.responses[UpdateConsumerOffset] = BrokerError(
            1, "", "a", "r"
        )
        self.repairs.begin(self.fetcher, 3)
        self.assertEqual(self.done, [])
        self.clock.advance(REPAIR_PAUSE)
        self.assertEqual(self.done, [self.fetcher])

    def test_stop(self) -> None:
        """What is in flight is cancelled, and nothing is left."""
        del self.session.brokers.responses[UpdateConsumerOffset]
        self.repairs.begin(self.fetcher, 3)
        self.repairs.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.done, [])
