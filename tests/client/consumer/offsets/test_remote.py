"""Offsets of a group, here and at the broker."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError, ConnectError
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import (
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)
from tests.client.fakes import FakeSession, queues

QUEUE, OTHER = queues("T", 2)


class RemoteOffsetStoreTests(SynchronousTestCase):
    """The offsets kept by the broker."""

    def setUp(self) -> None:
        """Make a store on a session without a network."""
        self.session = FakeSession({"T": 2})
        self.offsets = RemoteOffsetStore(self.session.brokers, "G")  # type: ignore[arg-type]

    def _one_way(self) -> list[tuple[int, int]]:
        """Give queue id and offset of what was sent one way."""
        sent = self.session.brokers.made.one_way
        return [(r.queue_id, r.commit_offset) for r in sent]

    def test_only_forward(self) -> None:
        """A smaller offset changes nothing."""
        self.offsets.update(QUEUE, 7)
        self.offsets.update(QUEUE, 5)
        self.assertEqual(self.offsets.read(QUEUE), 7)

    def test_frozen(self) -> None:
        """A repaired offset may go back, and stays until the queue is forgotten."""
        self.offsets.update(QUEUE, 7)
        self.offsets.freeze(QUEUE, 3)
        self.offsets.update(QUEUE, 9)
        self.assertEqual(self.offsets.read(QUEUE), 3)
        self.offsets.forget(QUEUE)
        self.offsets.update(QUEUE, 9)
        self.assertEqual(self.offsets.read(QUEUE), 9)

    def test_fetch(self) -> None:
        """The broker's offset; None where it has none; a failure is a failure."""
        for made in (
            OffsetResponse(offset=4),
            BrokerError(22, None, "a", "r"),
            BrokerError(1, None, "a", "r"),
        ):
            self.session.brokers.responses[QueryConsumerOffset] = made
            fetched = self.offsets.fetch(QUEUE)
            if isinstance(made, OffsetResponse):
                self.assertEqual(self.successResultOf(fetched), 4)
            elif made.code == 22:
                self.assertIsNone(self.successResultOf(fetched))
            else:
                self.failureResultOf(fetched, BrokerError)

    def test_fetch_below_zero(self) -> None:
        """A broker that stored -1 has no offset."""
        self.session.brokers.responses[QueryConsumerOffset] = OffsetResponse(offset=-1)
        self.assertIsNone(self.successResultOf(self.offsets.fetch(QUEUE)))

    def test_commit_changed(self) -> None:
        """Only what changed since the last time is sent, one way."""
        self.offsets.begin(QUEUE, 1, stored=True)
        self.offsets.begin(OTHER, 2, stored=False)
        self.offsets.commit_changed()
        self.offsets.update(QUEUE, 5)
        self.offsets.commit_changed()
        self.offsets.commit_changed()
        self.assertEqual(self._one_way(), [(1, 2), (0, 5)])

    def test_sent_with_a_pull(self) -> None:
        """An offset that went with a pull is not sent again."""
        self.offsets.update(QUEUE, 5)
        self.assertTrue(self.offsets.note_sent(QUEUE, 5))
        self.assertFalse(self.offsets.note_sent(QUEUE, 5))
        self.offsets.commit_changed()
        self.assertEqual(self._one_way(), [])

    def test_lost_with_a_pull(self) -> None:
        """An offset that went with a pull which failed is sent again."""
        self.offsets.update(QUEUE, 5)
        self.offsets.note_sent(QUEUE, 5)
        self.offsets.note_lost(QUEUE)
        self.offsets.commit_changed()
        self.assertEqual(self._one_way(), [(0, 5)])

    def test_commit_waits(self) -> None:
        """The last commit sends what went one way once more, and waits."""
        self.offsets.update(QUEUE, 5)
        self.offsets.commit_changed()
        done = self.offsets.commit([QUEUE, OTHER])
        self.assertNoResult(done)
        self.session.brokers.calls[-1][2].callback(Response())
        self.assertEqual(self.successResultOf(done), {})
        self.assertEqual(
            self.session.brokers.sent(UpdateConsumerOffset)[0].commit_offset, 5
        )
        self.offsets.commit([QUEUE])
        self.assertEqual(len(self.session.brokers.calls), 1)

    def test_lost_while_connecting(self) -> None:
        """The next owner's offset is not overwritten by ours, sent too late."""
        connected: Deferred[object] = Deferred()
        self.session.brokers.connection = lambda _address: connected  # type: ignore
        self.offsets.update(QUEUE, 5)
        self.offsets.commit_changed()
        self.offsets.forget(QUEUE)
        connected.callback(self.session.brokers.made)
        self.assertEqual(self._one_way(), [])

    def test_commit_failed(self) -> None:
        """What could not be stored is named, with the reason."""
        self.offsets.update(QUEUE, 5)
        error = BrokerError(26, "no group", "a", "r")
        self.session.brokers.responses[UpdateConsumerOffset] = error
        done = self.offsets.commit([QUEUE])
        self.assertEqual(self.successResultOf(done), {QUEUE: error})

    def test_unknown_broker(self) -> None:
        """Without an address nothing can be asked."""
        fetched = self.offsets.fetch(MessageQueue("T", "broker-z", 0))
        self.failureResultOf(fetched, ConnectError)
