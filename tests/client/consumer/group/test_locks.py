"""Locking queues at their brokers."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.locks import (
    PERIOD,
    RETRY_PERIOD,
    VALID,
    NoLocks,
    QueueLocks,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues
from tests.client.fakes import FakeSession, queues

ONE, TWO = queues("T", 2)
AWAY = BrokerError(1, "away", "a", "r")


class QueueLocksTests(SynchronousTestCase):
    """A broker that grants all locks but those of another client."""

    def setUp(self) -> None:
        """Start without any lock."""
        self.session = FakeSession({"T": 2})
        self.clock = self.session.clock
        self.others: set[MessageQueue] = set()
        self.brokers: Any = self.session.brokers
        self.brokers.responses = {LockQueues: self._grant, UnlockQueues: Response()}
        self.relocked: list[list[MessageQueue]] = []
        self.locks = QueueLocks(
            brokers=self.brokers,
            clock=self.clock,
            group="G",
            client_id="me",
            on_relocked=self.relocked.append,
        )

    def _grant(self, request: LockQueues) -> Response:
        """Grant the locks that no other client has."""
        wanted = LockBatchRequestBody.decode(request.body)
        self.assertEqual((wanted.consumer_group, wanted.client_id), ("G", "me"))
        granted = wanted.mq_set - self.others
        return Response(body=LockBatchResponseBody(lock_ok_mq_set=granted).encode())

    def _acquire(self, *queues: MessageQueue) -> set[MessageQueue]:
        """Acquire queues."""
        acquired = Deferred.fromCoroutine(self.locks.acquire(list(queues)))
        return self.successResultOf(acquired)

    def _release_all(self) -> None:
        """Release everything."""
        self.successResultOf(Deferred.fromCoroutine(self.locks.release_all()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def _requested(self) -> int:
        """Count the lock requests."""
        return len(self.brokers.sent(LockQueues))

    def test_acquire(self) -> None:
        """One request for each broker; queues of other clients are not acquired."""
        self.others = {TWO}
        self.assertEqual(self._acquire(ONE, TWO), {ONE})
        self.assertEqual((self.locks.is_held(ONE), self._requested()), (True, 1))
        self.assertFalse(self.locks.is_held(TWO))
        self._release_all()

    def test_unknown_broker(self) -> None:
        """A queue of a broker without an address is not acquired."""
        self.assertEqual(self._acquire(MessageQueue("T", "broker-x", 0)), set())

    def test_renewed(self) -> None:
        """Locks are renewed every 20 s, and so never expire."""
        self._acquire(ONE)
        for count in range(2, 6):
            self.clock.advance(PERIOD)
            self.assertEqual(self._requested(), count)
            self.assertTrue(self.locks.is_held(ONE))
        self._release_all()

    def test_expired(self) -> None:
        """Without a response a lock is trusted for 30 s after its request."""
        self._acquire(ONE)
        self.brokers.responses[LockQueues] = AWAY
        self.clock.advance(PERIOD)
        self.clock.advance(VALID - PERIOD - 0.1)
        self.assertTrue(self.locks.is_held(ONE))
        self.clock.advance(0.1)
        self.assertFalse(self.locks.is_held(ONE))
        self._release_all()

    def test_refused_and_relocked(self) -> None:
        """A lost lock is requested every 3 s; when granted it must be confirmed."""
        self._acquire(ONE, TWO)
        self.others = {ONE}
        self.clock.advance(PERIOD)
        self.assertEqual(
            (self.locks.is_held(ONE), self.locks.is_held(TWO)), (False, True)
        )
        self.others = set()
        self.clock.advance(RETRY_PERIOD)
        self.assertEqual(self.relocked, [[ONE]])
        self.assertFalse(self.locks.is_held(ONE))
        self.locks.confirm(ONE)
        self.assertTrue(self.locks.is_held(ONE))
        self._release_all()

    def test_release(self) -> None:
        """Released queues are unlocked at once, and not renewed."""
        self._acquire(ONE, TWO)
        self.successResultOf(Deferred.fromCoroutine(self.locks.release([ONE])))
        [request] = self.brokers.sent(UnlockQueues)
        body = UnlockBatchRequestBody.decode(request.body)
        self.assertEqual((body.client_id, body.mq_set), ("me", {ONE}))
        self.assertFalse(self.locks.is_held(ONE))
        self.locks.confirm(ONE)
        self.assertFalse(self.locks.is_held(ONE))
        self._release_all()
        self.assertEqual(len(self.brokers.sent(UnlockQueues)), 2)

    def test_release_without_response(self) -> None:
        """A broker that does not respond is waited for one second."""
        self._acquire(ONE)
        del self.brokers.responses[UnlockQueues]
        released = Deferred.fromCoroutine(self.locks.release_all())
        self.assertNoResult(released)
        self.clock.advance(1)
        self.successResultOf(released)

    def test_released_while_requested(self) -> None:
        """A request whose response nobody waits for is undone, too."""
        del self.brokers.responses[LockQueues]
        acquiring = Deferred.fromCoroutine(self.locks.acquire([ONE]))
        acquiring.cancel()
        self.assertEqual(self.successResultOf(acquiring), set())
        self.assertEqual(len(self.brokers.sent(UnlockQueues)), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_released_while_renewed(self) -> None:
        """A release during a renewal ends the renewals."""
        self._acquire(ONE)
        del self.brokers.responses[LockQueues]
        self.clock.advance(PERIOD)
        released = Deferred.fromCoroutine(self.locks.release_all())
        self.clock.advance(1)
        self.successResultOf(released)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class NoLocksTests(SynchronousTestCase):
    """Consumers without order."""

    def test_no_locks(self) -> None:
        """Every queue is held."""
        locks = NoLocks()
        acquired = Deferred.fromCoroutine(locks.acquire([ONE]))
        self.assertEqual(self.successResultOf(acquired), {ONE})
        self.assertTrue(locks.is_held(TWO))
        self.successResultOf(Deferred.fromCoroutine(locks.release([ONE])))
        self.successResultOf(Deferred.fromCoroutine(locks.release_all()))
