"""Tests of locking queues."""

from __future__ import annotations

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
