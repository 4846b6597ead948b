"""Taking queues, and giving them up."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.assignment import Assignment
from rocketmq_tw.client.consumer.group.locks import NoLocks
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.process_queue import ProcessQueue, QueueState
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import (
    GetMinOffset,
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)
from tests.client.fakes import FakeSession, queues

ONE, TWO, THREE = queues("T", 3)


class Fetcher:
    """Keeps what is done to it."""

    def __init__(self, queue: MessageQueue) -> None:
        self.queue = queue
        self.messages = ProcessQueue(queue)
        self.paused = False
        self.started_at: int | None = None
        self.running = False
        self.next_offset = 0

    def start(self, offset: int) -> None:
        """Keep the offset."""
        self.started_at = offset
        self.running = True

    def stop(self) -> None:
        """Stop."""
        self.running = False

    def wake(self) -> None:
        """Do nothing: it never waits."""


class AssignmentTests(SynchronousTestCase):
    """A group that has read the first queue up to 5, and the others never."""

    def setUp(self) -> None:
        """Let the broker know that."""
        self.session = FakeSession({"T": 3})
        self.clock = self.session.clock
        self.session.brokers.responses = {
            QueryConsumerOffset: self._stored,
            GetMinOffset: OffsetResponse(offset=1),
            UpdateConsumerOffset: Response(),
        }
        brokers: Any = self.session.brokers
        self.offsets = RemoteOffsetStore(brokers, "G")
        self.changes = 0
        self.discarded: list[ProcessQueue] = []
        make_fetcher: Any = Fetcher
        self.assignment = Assignment(
            brokers=brokers,
            clock=self.clock,
            offsets=self.offsets,
            ownership=NoLocks(),
            make_fetcher=make_fetcher,
            start_from=EARLIEST,
            revoke_grace=3.0,
            discard=self.discarded.append,
            on_changed=self._changed,
            on_repaired=self._changed,
        )

    def _stored(self, request: QueryConsumerOffset) -> object:
        """Give the stored offset of the first queue only."""
        if request.queue_id == 0:
            return OffsetResponse(offset=5)
        return BrokerError(22, None, "a", "r")

    def _changed(self) -> None:
        """Count a change."""
        self.changes += 1

    def apply(self, *ours: MessageQueue) -> Deferred[bool]:
        """Make queues ours."""
        return Deferred.fromCoroutine(self.assignment.apply("T", frozenset(ours)))

    def fetcher(self, queue: MessageQueue) -> Any:
        """Give the fetcher of a queue."""
        return self.assignment.fetchers[queue]

    def test_take(self) -> None:
        """A queue is pulled from its offset, or from where the group begins."""
        self.assertTrue(self.successResultOf(self.apply(ONE, TWO)))
        self.assertEqual(self.assignment.queues, [ONE, TWO])
        self.assertEqual(self.fetcher(ONE).started_at, 5)
        self.assertEqual(self.fetcher(TWO).started_at, 1)
        self.assertEqual(self.changes, 1)
        self.assertTrue(self.successResultOf(self.apply(ONE, TWO)))
        self.assertEqual(self.changes, 1)

    def test_offset_unknown(self) -> None:
        """A queue whose offset cannot be found is not taken; the others are."""
        self.session.brokers.responses[GetMinOffset] = BrokerError(1, "", "a", "r")
        self.assertFalse(self.successResultOf(self.apply(ONE, TWO)))
        self.assertEqual(self.assignment.queues, [ONE])

    def test_release(self) -> None:
        """Handlers may finish; then it is committed, and only then forgotten."""
        self.apply(ONE)
        fetcher = self.fetcher(ONE)
        fetcher.messages.begin()
        done = self.apply()
        self.assertFalse(fetcher.running)
        self.assertIs(fetcher.messages.state, QueueState.CLOSING)
        self.assertNoResult(done)
        self.offsets.update(ONE, 8)
        fetcher.messages.end()
        self.successResultOf(done)
        (commit,) = self.session.brokers.sent(UpdateConsumerOffset)
        self.assertEqual(commit.commit_offset, 8)
        self.assertIs(fetcher.messages.state, QueueState.DROPPED)
        self.assertEqual(self.discarded, [fetcher.messages])
        self.assertEqual(self.assignment.queues, [])

    def test_release_does_not_wait_for_ever(self) -> None:
        """After the grace the queue goes, whatever its handlers do."""
        self.apply(ONE)
        self.fetcher(ONE).messages.begin()
        done = self.apply()
        self.clock.advance(3)
        self.successResultOf(done)
        self.assertEqual(self.assignment.queues, [])

    def test_listeners(self) -> None:
        """They get the queues; what they raise is logged; revoking waits for them."""
        calls: list[tuple[str, list[MessageQueue]]] = []
        waiting: Deferred[None] = Deferred()

        def revoked(queues: list[MessageQueue]) -> Deferred[None]:
            calls.append(("revoked", queues))
            return waiting

        def fails(_queues: list[MessageQueue]) -> None:
            raise ValueError

        self.assignment.on_assigned += [
            fails,
            lambda queues: calls.append(("assigned", queues)),
        ]
        self.assignment.on_revoked.append(revoked)
        self.successResultOf(self.apply(ONE))
        done = self.apply()
        self.assertNoResult(done)
        waiting.callback(None)
        self.successResultOf(done)
        self.assertEqual(calls, [("assigned", [ONE]), ("revoked", [ONE])])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_keep_only(self) -> None:
        """The queues of topics that are not read any more are given up."""
        self.apply(ONE)
        kept = Deferred.fromCoroutine(self.assignment.keep_only(["U"]))
        self.successResultOf(kept)
        self.assertEqual((self.assignment.queues, self.changes), ([], 2))

    def test_pauses(self) -> None:
        """A pause holds for queues that come later, until it is ended."""
        self.assignment.pause([TWO])
        self.apply(ONE, TWO)
        self.assertEqual([self.fetcher(q).paused for q in (ONE, TWO)], [False, True])
        self.assignment.resume(None)
        self.assertFalse(self.fetcher(TWO).paused)

    def test_close(self) -> None:
        """A queue whose offset comes after the close is not taken any more."""
        del self.session.brokers.responses[QueryConsumerOffset]
        done = self.apply(ONE)
        self.assignment.close()
        asked = self.session.brokers.calls[0][2]
        asked.callback(OffsetResponse(offset=5))
        self.assertFalse(self.successResultOf(done))
        self.assertEqual(self.assignment.queues, [])

    def test_forget_all(self) -> None:
        """What the broker does not take is named; all queues are gone."""
        self.apply(ONE)
        self.offsets.update(ONE, 8)
        error = BrokerError(1, "", "a", "r")
        self.session.brokers.responses[UpdateConsumerOffset] = error
        forgotten = Deferred.fromCoroutine(self.assignment.forget_all())
        self.assertEqual(self.successResultOf(forgotten), {ONE: error})
        self.assertEqual(self.assignment.fetchers, {})

    def test_repair(self) -> None:
        """A repaired queue is given up, to be taken again with its new offset."""
        self.apply(ONE)
        self.assignment.repair(self.fetcher(ONE), 30)
        self.assertEqual((self.assignment.queues, self.changes), ([], 2))
        (commit,) = self.session.brokers.sent(UpdateConsumerOffset)
        self.assertEqual(commit.commit_offset, 30)
