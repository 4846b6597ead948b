"""Queues that are locked again."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.relocked import Relocked
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.requests.offset import OffsetResponse, QueryConsumerOffset
from tests.client.fakes import FakeSession, queues

[QUEUE] = queues("T", 1)


class Fetcher:
    """The fetcher of the queue."""

    queue = QUEUE


class RelockedTests(SynchronousTestCase):
    """A queue that was read up to 5 here."""

    def setUp(self) -> None:
        """Set our offset."""
        self.session = FakeSession({"T": 1})
        brokers: Any = self.session.brokers
        offsets = RemoteOffsetStore(brokers, "G")
        offsets.begin(QUEUE, 5, stored=True)
        self.fetcher: Any = Fetcher()
        self.resumed: list[object] = []
        self.reacquired: list[object] = []
        self.relocked = Relocked(
            offsets=offsets,
            fetcher_of=lambda _queue: self.fetcher,
            resume=self.resumed.append,
            reacquire=self.reacquired.append,
        )

    def _check(self, response: object) -> tuple[int, int]:
        """Check it; return how many are resumed and acquired again."""
        self.session.brokers.responses[QueryConsumerOffset] = response
        self.relocked.check([QUEUE])
        return len(self.resumed), len(self.reacquired)

    def test_nobody_else(self) -> None:
        """If nobody has read it, it is continued."""
        self.assertEqual(self._check(OffsetResponse(offset=5)), (1, 0))

    def test_never_stored(self) -> None:
        """If no offset is stored, nobody has read it."""
        self.assertEqual(self._check(BrokerError(22, None, "a", "r")), (1, 0))

    def test_another_has_read(self) -> None:
        """If another client has read it, it is acquired again."""
        self.assertEqual(self._check(OffsetResponse(offset=6)), (0, 1))

    def test_unknown(self) -> None:
        """If the offset cannot be fetched, the queue stays suspended."""
        self.assertEqual(self._check(BrokerError(1, None, "a", "r")), (0, 0))

    def test_released_meanwhile(self) -> None:
        """A queue that is released meanwhile is left alone."""
        response: Deferred[object] = Deferred()
        self.session.brokers.call_for = lambda *_: response  # type: ignore
        self.relocked.check([QUEUE])
        self.fetcher = None
        response.callback(OffsetResponse(offset=6))
        self.assertEqual((self.resumed, self.reacquired), ([], []))
