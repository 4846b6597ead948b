"""A name server and brokers that do as a test tells them, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rocketmq_tw.client.client import Client
from rocketmq_tw.model.route import BrokerData, QueueData, TopicRoute
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.bodies.route import encode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import Heartbeat, UnregisterClient
from rocketmq_tw.wire.requests.route import GetRoute
from rocketmq_tw.wire.requests.send import (
    SendBatchMessage,
    SendMessageV2,
    SendResponse,
)

NOW = 1_700_000_000.0
NAME_SERVER = "10.0.0.1:9876"
#: The host of all clients.
CLIENT = "10.0.2.1"


class FakeNameServer:
    """
    Knows the routes it is given.

    :ivar asked: the topics that were asked for.
    :ivar silent: while True, nothing is answered.
    """

    def __init__(self, network: MemoryNetwork, clock: Clock, address: str) -> None:
        self.routes: dict[str, TopicRoute] = {}
        self.asked: list[str] = []
        self.silent = False
        router = Router()
        router.on(GetRoute, self._route)
        host, _, port = address.rpartition(":")
        reactor = network.reactor(host)
        reactor.listenTCP(int(port), RemotingServerFactory(router, reactor))

    def _route(self, request: GetRoute, call: Call) -> Response | Deferred[Response]:
        self.asked.append(request.topic)
        if self.silent:
            return Deferred()
        route = self.routes.get(request.topic)
        if route is None:
            raise Refused(ResponseCode.TOPIC_NOT_EXIST, "no topic")
        return Response(body=encode_route(route))


class FakeBroker:
    """
    Notes what it is sent, and answers as told.

    :ivar outcomes: response codes of the next sends, one each; then success. None
        stands for no answer at all.
    """

    def __init__(self, network: MemoryNetwork, clock: Clock, address: str) -> None:
        self.address = address
        self.sent: list[SendMessageV2] = []
        self.opaques: list[int | None] = []
        self.heartbeats: list[HeartbeatData] = []
        self.left: list[UnregisterClient] = []
        self.outcomes: list[int | None] = []
        router = Router()
        router.on(SendMessageV2, self._send)
        router.on(SendBatchMessage, self._send)
        router.on(Heartbeat, self._heartbeat)
        router.on(UnregisterClient, self._leave)
        host, _, port = address.rpartition(":")
        reactor = network.reactor(host)
        self.factory = RemotingServerFactory(router, reactor)
        reactor.listenTCP(int(port), self.factory)

    def _send(self, request: SendMessageV2, call: Call) -> SendResponse | Deferred[Any]:
        self.sent.append(request)
        self.opaques.append(call.header.opaque)
        code = self.outcomes.pop(0) if self.outcomes else 0
        if code is None:
            return Deferred()
        if code not in (0, 10, 11, 12):
            raise Refused(ResponseCode(code), "as told")
        return SendResponse(
            msg_id=f"{len(self.sent):032X}",
            queue_id=max(request.queue_id, 0),
            queue_offset=len(self.sent) - 1,
            status=code,
        )

    def _heartbeat(self, request: Heartbeat, call: Call) -> Response:
        self.heartbeats.append(HeartbeatData.decode(request.body))
        return Response()

    def _leave(self, request: UnregisterClient, call: Call) -> Response:
        self.left.append(request)
        return Response()


class FakeCluster:
    """One name server and as many brokers as are asked for, on one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.network = MemoryNetwork(self.clock)
        self.name_server = FakeNameServer(self.network, self.clock, NAME_SERVER)
        self.brokers: dict[str, FakeBroker] = {}

    def broker(self, name: str) -> FakeBroker:
        """Start a broker."""
        address = f"10.0.1.{len(self.brokers) + 1}:10911"
        made = self.brokers[name] = FakeBroker(self.network, self.clock, address)
        return made

    def topic(self, topic: str, **queues: int) -> None:
        """Give a topic so many queues on each broker, named with ``_`` for ``-``."""
        names = {name.replace("_", "-"): count for name, count in queues.items()}
        self.name_server.routes[topic] = TopicRoute(
            broker_datas=tuple(
                BrokerData("c", name, {0: self.brokers[name].address}) for name in names
            ),
            queue_datas=tuple(
                QueueData(name, count, count, 6) for name, count in names.items()
            ),
        )

    def client(self, name_servers: str = NAME_SERVER, **options: Any) -> Client:
        """Make a client of this cluster; it is not started."""
        return Client(self.network.reactor(CLIENT), name_servers, **options)

    def hang(self, address: str) -> None:
        """Let no packet pass between the clients and an address."""
        self.network.cut(CLIENT, address.rpartition(":")[0])

    def disconnect(self, address: str) -> None:
        """Let the server at an address close its connections."""
        for link in self.network.links_between(address.rpartition(":")[0]):
            link.far.loseConnection()
        self.deliver()

    def deliver(self) -> None:
        """Let all that is on its way arrive."""
        self.clock.advance(0)

    def pump(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in steps, as chained timers need."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
