"""What tests of administration begin with: a cluster in memory, and a client of it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin import AdminClient
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode

T = TypeVar("T")


class AdminCase(SynchronousTestCase):
    """
    A cluster in memory, of two brokers, and an administrator.

    :cvar brokers: how many there are.
    :cvar name_servers: likewise.
    :cvar on_disk: whether messages are in files, as replication needs.
    """

    brokers = 2
    name_servers = 1
    settings: dict[str, Any] = {}
    on_disk = False

    def setUp(self) -> None:
        """Start the cluster and the administrator's client."""
        self.cluster = MemoryCluster(
            brokers=self.brokers,
            name_servers=self.name_servers,
            directory=self.mktemp() if self.on_disk else None,
            broker_settings={"auto_create_topic_enable": False, **self.settings},
        )
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.admin = self.make_admin()

    def make_admin(self, **options: Any) -> AdminClient:
        """Make another administrator, on a host of its own."""
        reactor = self.cluster.network.reactor("10.0.4.1")
        names = options.pop("name_servers", self.cluster.name_server_addresses)
        admin = AdminClient(reactor, names, **options)
        self.addCleanup(lambda: self.run_admin(admin.stop()))
        return admin

    def unreachable(self, broker: str) -> BrokerNode:
        """Let no packet pass between the administrator and a broker."""
        node = self.cluster.brokers[broker]
        self.cluster.network.cut("10.0.4.1", node.host)
        return node

    def leave_to_slave(self, broker: str) -> None:
        """Stop a broker once a slave has copied all of it; needs ``on_disk``."""
        self.cluster.add_slave(broker).start()
        self.cluster.advance(15)
        self.cluster.brokers[broker].stop()
        self.cluster.advance(1)

    def run_admin(self, waiting: Deferred[T] | Coroutine[Any, Any, T]) -> T:
        """Let time pass until there is a result."""
        return self.cluster.result_of(waiting)

    def failure(self, waiting: Deferred[Any], *kinds: type[Exception]) -> str:
        """Return the text of the error with which a call fails."""
        with self.assertRaises(kinds) as caught:
            self.run_admin(waiting)
        return str(caught.exception)

    def producer(self) -> Producer:
        """Return a producer, the same for the whole test."""
        if not hasattr(self, "_producer"):
            self._producer = self.cluster.producer()
        return self._producer

    def send(self, topic: str, *bodies: bytes, **fields: Any) -> list[str]:
        """Send messages; return their ids."""
        sent = []
        for body in bodies:
            message = Message(topic, body, **fields)
            result = self.cluster.result_of(self.producer().send(message))
            sent.append(result.message_id)
        return sent

    def consume(self, group: str, topic: str, **options: Any) -> list[bytes]:
        """Start a consumer; return the list into which bodies come."""
        seen: list[bytes] = []
        self.cluster.consumer(group, topic, lambda m: seen.append(m.body), **options)
        return seen
