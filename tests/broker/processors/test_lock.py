"""Tests of locking queues."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.lock import AT_ONCE, LockProcessor
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.locks import LockBatchResponseBody
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues
from tests.broker.cases import BrokerCase

QUEUE = b'{"brokerName":"broker-a","queueId":0,"topic":"T"}'


def body(client_id: bytes) -> bytes:
    """Make the body of either request, for one queue."""
    ids = b'"clientId":"' + client_id + b'","consumerGroup":"CG"'
    return b"{" + ids + b',"mqSet":[' + QUEUE + b'],"onlyThisBroker":false}'


class LockProcessorTests(BrokerCase):
    """Orderly consumers lock queues, one consumer each."""

    def lock(self, client_id: bytes) -> bytes:
        """Ask for the lock. :returns: the body of the response."""
        response = self.ask(LockQueues(body=body(client_id)))
        return bytes(response.body)

    def test_locks_and_unlocks(self) -> None:
        """A queue is locked by who asked first, until it is unlocked."""
        self.assertEqual(self.lock(b"one"), b'{"lockOKMQSet":[' + QUEUE + b"]}")
        self.assertEqual(self.lock(b"two"), b'{"lockOKMQSet":[]}')
        self.ask(UnlockQueues(body=body(b"one")))
        self.assertIn(QUEUE, self.lock(b"two"))

    def test_runs_out(self) -> None:
        """A lock that is not renewed for a minute is free."""
        self.lock(b"one")
        self.clock.pump([10.0] * 7)
        self.assertIn(QUEUE, self.lock(b"two"))

    def test_names_are_short(self) -> None:
        """A lock keeps names; those of a length that nobody uses are refused."""
        self.refused(
            29, "illegal", LockQueues(body=body(b"one").replace(b"CG", b"C G"))
        )
        self.refused(29, "256 characters", LockQueues(body=body(b"x" * 256)))
        topic = b'"' + b"T" * 256 + b'"'
        long = body(b"one").replace(b'"T"', topic)
        self.refused(29, "256 characters", LockQueues(body=long))
        self.assertEqual(len(self.tables.locks), 0)


class LimitTests(BrokerCase):
    """A broker with few locks."""

    settings = {"max_queue_locks": 1}

    def test_limit(self) -> None:
        """The response has what the client holds, and says why there is no more."""
        other = body(b"one").replace(b'"queueId":0', b'"queueId":1')
        self.assertIsNone(self.ask(LockQueues(body=body(b"one"))).remark)
        response = self.ask(LockQueues(body=other))
        self.assertEqual(response.body, b'{"lockOKMQSet":[]}')
        self.assertIn("maxQueueLocks (1)", response.remark)
        self.assertEqual(self.stats.gauges["queueLocks"](), 1)
        self.assertEqual(self.stats.gauges["queueLocksRefused"](), 1)


class CountedLocks(QueueLocks):
    """Counts the queues of each step."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.counts = [0]

    def lock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> list[MessageQueue]:
        """Count, and lock."""
        found = list(queues)
        self.counts[-1] += len(found)
        return super().lock(group, client_id, found)

    def unlock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> None:
        """Count, and unlock."""
        found = list(queues)
        self.counts[-1] += len(found)
        super().unlock(group, client_id, found)

    def run_for(self, _body: bytes, steps: Steps[Response], _peer: Any) -> Response:
        """Take all steps, and count what each has done."""
        self.counts = [0]
        while True:
            try:
                next(steps)
            except StopIteration as end:
                response: Response = end.value
                return response
            self.counts.append(0)


class LargeTests(SynchronousTestCase):
    """A request with thousands of queues."""

    def test_steps(self) -> None:
        """Queues are locked and unlocked in steps; the response has all of them."""
        locks = CountedLocks()
        processor = LockProcessor(locks=locks, limit=100_000, pacer=locks)  # type: ignore[arg-type]
        queues = [MessageQueue("T", "broker-a", n) for n in range(10_000)]
        text = fastjson.dumps(
            {"clientId": "one", "consumerGroup": "CG", "mqSet": queues}
        )
        call: Any = SimpleNamespace(peer=None)
        response: Any = processor.lock(LockQueues(body=text), call)
        self.assertEqual(sum(locks.counts), 10_000)
        self.assertLessEqual(max(locks.counts), AT_ONCE)
        self.assertEqual(locks.counts[0], 0)
        held = LockBatchResponseBody.decode(response.body).lock_ok_mq_set
        self.assertEqual(held, frozenset(queues))
        processor.unlock(UnlockQueues(body=text), call)
        self.assertEqual(sum(locks.counts), 10_000)
        self.assertLessEqual(max(locks.counts), AT_ONCE)
        self.assertEqual(len(locks), 0)


class LargeInOrderTests(BrokerCase):
    """The same through a broker."""

    def test_response(self) -> None:
        """What one client has locked another does not get."""
        listed = b",".join(
            b'{"brokerName":"broker-a","queueId":%d,"topic":"T"}' % n
            for n in range(5000)
        )
        large = body(b"one").replace(QUEUE, listed)
        found = LockBatchResponseBody.decode(self.ask(LockQueues(body=large)).body)
        self.assertEqual(len(found.lock_ok_mq_set), 5000)
        response = self.ask(LockQueues(body=body(b"two")))
        self.assertEqual(response.body, b'{"lockOKMQSet":[]}')
