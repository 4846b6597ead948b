"""Tests of locking queues."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.lock import LockProcessor
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues
from tests.broker.doubles import call

QUEUE = b'{"brokerName":"broker-a","queueId":0,"topic":"T"}'


def body(client_id: bytes) -> bytes:
    """Make the body of either request, for one queue."""
    ids = b'"clientId":"' + client_id + b'","consumerGroup":"CG"'
    return b"{" + ids + b',"mqSet":[' + QUEUE + b'],"onlyThisBroker":false}'


class LockProcessorTests(SynchronousTestCase):
    """Orderly consumers get queues one at a time."""

    def test_locks_and_unlocks(self) -> None:
        """A queue is held by who asked first, until it is given back."""
        processor = LockProcessor(QueueLocks(Clock()))
        response = processor.lock(LockQueues(body=body(b"one")), call())
        self.assertEqual(response.body, b'{"lockOKMQSet":[' + QUEUE + b"]}")
        response = processor.lock(LockQueues(body=body(b"two")), call())
        self.assertEqual(response.body, b'{"lockOKMQSet":[]}')
        processor.unlock(UnlockQueues(body=body(b"one")), call())
        response = processor.lock(LockQueues(body=body(b"two")), call())
        self.assertIn(QUEUE, response.body)

    def test_takes_its_requests(self) -> None:
        """The router knows who handles both codes."""
        router = Router()
        LockProcessor(QueueLocks(Clock())).routes(router)
        self.assertIsNotNone(router.find(41))
        self.assertIsNotNone(router.find(42))
