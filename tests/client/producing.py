"""What the tests of producers start from."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.model.message import Message
from tests.client.cluster import Cluster

HELLO = Message("T", b"hello", tag="A", keys=("k1", "k2"), properties={"p": "v"})


class ProducerCase(SynchronousTestCase):
    """A producer, two brokers, and a topic with queues on both."""

    def setUp(self) -> None:
        """Start the client."""
        self.cluster = Cluster(self)
        self.clock = self.cluster.clock
        self.a = self.cluster.broker("broker-a")
        self.b = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4)
        self.cluster.topic("Two", broker_a=4, broker_b=1)
        self.client = self.cluster.client()
        self.client.startService()
        self.cluster.deliver()

    def tearDown(self) -> None:
        """Stop the client: no timer may be left."""
        stopped = self.client.stop(grace=0)
        self.cluster.pump(3)
        self.successResultOf(stopped)
        self.assertEqual(self.cluster.timers(), [])

    def producer(self, **options: Any) -> Producer:
        """Make a producer; it runs, as its client does."""
        return self.client.producer("pg", **options)

    def sent(self, sending: Deferred[Any]) -> Any:
        """Deliver, and give the result."""
        self.cluster.deliver()
        return self.successResultOf(sending)

    def failed(self, sending: Deferred[Any], *kinds: type[Exception]) -> Any:
        """Deliver, and give the error."""
        self.cluster.deliver()
        return self.failureResultOf(sending, *kinds).value
