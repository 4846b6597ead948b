"""A cluster in memory, as the tests of the client look at it."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.client import Client
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.faults import host_of
from rocketmq_tw.testing.nodes import BrokerNode, NameServerNode
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.requests.heartbeat import Heartbeat, UnregisterClient
from rocketmq_tw.wire.requests.route import GetRoute
from rocketmq_tw.wire.requests.send import (
    SendBatchMessage,
    SendMessageV2,
    SendResponse,
)

NAME_SERVER = "10.0.0.1:9876"
SECOND = "10.0.0.2:9876"


class NameServer:
    """What one name server is asked for."""

    def __init__(self, node: NameServerNode) -> None:
        self.node = node

    @property
    def asked(self) -> list[str]:
        """The topics that were asked for."""
        return [request.topic for request in self.node.traffic.requests(GetRoute)]

    def forget(self) -> None:
        """Forget what was asked for."""
        self.node.traffic.clear()

    def ignore(self) -> None:
        """Leave all that is asked from now on without a response."""
        self.node.traffic.ignore(GetRoute)


class Broker:
    """What one broker is sent, and the responses that it is made to give."""

    def __init__(self, node: BrokerNode, cluster: MemoryCluster) -> None:
        self.node = node
        self.address = node.address
        self._cluster = cluster

    @property
    def sent(self) -> list[SendMessageV2]:
        """The sends that came, batches too."""
        traffic = self.node.traffic
        return traffic.requests(SendMessageV2) + traffic.requests(SendBatchMessage)

    @property
    def headers(self) -> list[Command]:
        """The headers of the single sends."""
        return self.node.traffic.commands(SendMessageV2)

    @property
    def heartbeats(self) -> list[HeartbeatData]:
        """The heartbeats that came."""
        requests = self.node.traffic.requests(Heartbeat)
        return [HeartbeatData.decode(request.body) for request in requests]

    @property
    def left(self) -> list[UnregisterClient]:
        """Who has left a group."""
        return self.node.traffic.requests(UnregisterClient)

    @property
    def connections(self) -> list[RemotingProtocol]:
        """The broker's ends of the clients' connections, oldest first."""
        return [
            link.far.protocol
            for link in self._cluster.network.links_between(self.node.host)
            if link.far.getHost().host == self.node.host
            and link.near.getHost().host.startswith("10.0.2.")
        ]

    def respond(self, *codes: int | None) -> None:
        """
        Respond to the next single sends with these codes, one each.

        :param codes: None stands for no response at all.
        """
        for code in codes:
            if code is None:
                self.node.traffic.respond(SendMessageV2, None)
            elif code in (0, 10, 11, 12):
                stored = SendResponse(msg_id="0" * 32, queue_id=0, queue_offset=0)
                stored.status = code
                self.node.traffic.respond(SendMessageV2, stored)
            else:
                self.node.traffic.refuse(SendMessageV2, code)


class Cluster:
    """
    Name servers, brokers that create no topics, and clients; stopped with the test.

    :ivar memory: the cluster itself.
    """

    def __init__(self, case: SynchronousTestCase, name_servers: int = 1) -> None:
        self.memory = MemoryCluster(
            name_servers=name_servers,
            brokers=0,
            broker_settings={"auto_create_topic_enable": False},
        )
        self.clock = self.memory.clock
        self.network = self.memory.network
        case.addCleanup(self.memory.stop)
        self.memory.start()
        self.name_servers = [NameServer(node) for node in self.memory.name_servers]

    @property
    def name_server(self) -> NameServer:
        """The first name server."""
        return self.name_servers[0]

    def broker(self, name: str, **settings: Any) -> Broker:
        """Start a broker; it is registered when this returns."""
        node = self.memory.add_broker(name, **settings)
        node.start()
        self.memory.advance()
        return Broker(node, self.memory)

    def topic(self, topic: str, **queues: int) -> None:
        """Give a topic so many queues on each broker, named with ``_`` for ``-``."""
        counts = {name.replace("_", "-"): count for name, count in queues.items()}
        self.memory.create_topic(topic, counts)

    def client(self, **options: Any) -> Client:
        """Make a client of this cluster; it is not started."""
        return self.memory.make_client(**options)

    def timers(self) -> list[IDelayedCall]:
        """List what the clients have scheduled."""
        return [
            call
            for client in self.memory.clients
            for call in client.session.clock.getDelayedCalls()  # type: ignore
        ]

    def hang(self, address: str) -> None:
        """Let no packet pass between the clients and an address."""
        for client in self.memory.clients:
            self.network.cut(host_of(client), address.rpartition(":")[0])

    def disconnect(self, address: str) -> None:
        """Break the clients' connections to an address."""
        for client in self.memory.clients:
            self.memory.faults.reset(client, address.rpartition(":")[0])
        self.deliver()

    def deliver(self) -> None:
        """Let all that is in flight arrive."""
        self.clock.advance(0)

    def pump(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in steps, as chained timers need."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
