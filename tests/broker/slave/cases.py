"""A master and a slave in memory, with one name server."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable, DelayOffsetTable
from rocketmq_tw.wire.bodies.topics import TopicConfigTable
from rocketmq_tw.wire.requests.group import GetAllGroups
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    GetAllDelayOffset,
)
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig
from tests.store.cases import StoreCase


class PairCase(SynchronousTestCase):
    """
    Has a master, ``broker-a``, and its slave with id 1.

    :cvar settings: of the slave.
    """

    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        """Start all of them."""
        self.cluster = MemoryCluster()
        self.slave = self.cluster.add_slave("broker-a", **self.settings)
        self.master = self.cluster.broker
        self.cluster.start()
        self.addCleanup(self.cluster.stop)

    def topics(self, node: BrokerNode) -> TopicConfigTable:
        """Ask a broker for its topics."""
        body = self.cluster.call(node, GetAllTopicConfig()).body
        return TopicConfigTable.decode(body)

    def groups(self, node: BrokerNode) -> SubscriptionGroupTable:
        """Ask a broker for its groups."""
        return SubscriptionGroupTable.decode(
            self.cluster.call(node, GetAllGroups()).body
        )

    def offsets(self, node: BrokerNode) -> ConsumerOffsetTable:
        """Ask a broker for the offsets of consumers."""
        body = self.cluster.call(node, GetAllConsumerOffset()).body
        return ConsumerOffsetTable.decode(body)

    def delays(self, node: BrokerNode) -> DelayOffsetTable:
        """Ask a broker for its delay offsets."""
        body = self.cluster.call(node, GetAllDelayOffset()).body
        return DelayOffsetTable.decode(body)

    def respond(self, kind: Any, body: Any, times: int = 1) -> None:
        """Let the master respond with a document of the test."""
        text = body if isinstance(body, bytes) else fastjson.dumps(body)
        self.master.traffic.respond(kind, kind.response_type(body=text), times)


class EscapeCase(StoreCase):
    """
    Two masters with a topic; the first has a slave that acts for it.

    :cvar settings: further ones of all brokers.
    :cvar queues: those of the topic, at all masters or at each.
    """

    settings: ClassVar[dict[str, Any]] = {}
    queues: ClassVar[int | dict[str, int]] = 1

    def setUp(self) -> None:
        """Start all of them."""
        super().setUp()
        self.cluster = MemoryCluster(
            directory=self.root,
            broker_settings={
                "slave_read_enable": True,
                "enable_slave_acting_master": True,
                "enable_remote_escape": True,
                "total_replicas": 2,
                **self.settings,
            },
            name_server_settings={"support_acting_master": True},
        )
        self.slave = self.cluster.add_slave("broker-a")
        self.other = self.cluster.add_broker("broker-b")
        self.master = self.cluster.broker
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", self.queues)
        self.cluster.advance(15)
