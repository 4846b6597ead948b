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
