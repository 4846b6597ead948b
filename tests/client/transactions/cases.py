"""A cluster in memory with producers of transactions."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.client import Client
from rocketmq_tw.client.transactions.producer import TransactionProducer
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo

HELLO = Message("T", b"hello", tag="A", keys=("k",), properties={"p": "v"})
SETTINGS = {
    "transaction_check_interval": 5_000,
    "transaction_time_out": 2_000,
    "transaction_check_max": 3,
}


class ProducerCase(SynchronousTestCase):
    """
    A broker that asks often, and what the checkers said.

    :ivar checked: the messages that checkers were asked about.
    :ivar says: what a checker returns, or raises.
    """

    def setUp(self) -> None:
        """Start a cluster with a topic."""
        self.cluster = MemoryCluster(broker_settings=SETTINGS)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 4)
        self.checked: list[StoredMessage] = []
        self.says: Any = None

    def client(self, **options: Any) -> Client:
        """Start one more client."""
        client = self.cluster.client(**options)
        self.cluster.result_of(client.start())
        return client

    def producer(
        self, client: Client | None = None, **options: Any
    ) -> TransactionProducer:
        """Make a producer, which runs as its client does."""
        client = client or self.client()
        return client.transaction_producer("pg", self.check, **options)

    def check(self, message: StoredMessage) -> Any:
        """Check a transaction, as the test says."""
        self.checked.append(message)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def now(self, waiting: Deferred[Any]) -> Any:
        """Wait for a result."""
        return self.cluster.result_of(waiting)

    def consumed(self) -> list[bytes]:
        """Return the bodies of what consumers can read."""
        return sorted(each.body for each in self.cluster.messages("T"))

    @property
    def pending(self) -> int:
        """How many transactions the broker has not decided."""
        return self.gauge("transactionsPending")

    def gauge(self, name: str) -> int:
        """Return a number that the broker shows."""
        response = self.cluster.call(self.cluster.broker, GetRuntimeInfo())
        return int(KVTable.decode(response.body).table[name])
