"""A client session without a network, which consumers are tested with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.remote_commands import RemoteCommands
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import BrokerData, QueueData, TopicRoute
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.threads import run_here
from rocketmq_tw.wire import record
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData
from rocketmq_tw.wire.requests.pull import PullResponse

NOW = 1_700_000_000.0
ADDRESS = "10.0.0.1:10911"
_HOST = host_to_bytes("10.0.0.1", 10911)


def queues(topic: str, count: int, broker_name: str = "broker-a") -> list[MessageQueue]:
    """Make the queues of a topic."""
    return [MessageQueue(topic, broker_name, i) for i in range(count)]


def message(
    offset: int,
    body: bytes = b"x",
    *,
    topic: str = "T",
    queue_id: int = 0,
    properties: dict[str, str] | None = None,
    reconsume_times: int = 0,
) -> StoredMessage:
    """Make a message as a broker would return it."""
    return StoredMessage(
        topic=topic,
        body=body,
        queue_id=queue_id,
        queue_offset=offset,
        commit_log_offset=1000 + offset,
        flag=0,
        sys_flag=0,
        born_time_ms=1,
        born_host="10.0.0.9:1",
        store_time_ms=2,
        store_host="10.0.0.1:10911",
        reconsume_times=reconsume_times,
        prepared_transaction_offset=0,
        properties=dict(properties or {}),
        size=len(body),
        body_crc=0,
        broker_name="broker-a",
    )


def stored(
    offset: int, tag: str = "", body: bytes = b"body", sys_flag: int = 0
) -> bytes:
    """Make the record of a message."""
    properties = f"TAGS\x01{tag}\x02".encode() if tag else b""
    draft = record.Draft(b"T", 0, 0, sys_flag, 1, _HOST, body, properties)
    return record.encode(draft, offset, offset * 100, 2, _HOST)


def pulled(status: int = 0, body: bytes = b"", next_offset: int = 9) -> PullResponse:
    """Make the response to a pull."""
    return PullResponse(
        suggest_which_broker_id=0,
        next_begin_offset=next_offset,
        min_offset=1,
        max_offset=20,
        status=status,
        body=body,
    )


class FakeRoutes:
    """Routes that the test sets: topic -> number of queues on ``broker-a``."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self.on_change: list[Callable[..., Any]] = []
        self.watched: set[str] = set()

    def find(self, topic: str, refresh: bool = False) -> Deferred[TopicRoute]:
        """Give a route, or fail."""
        if topic not in self.counts:
            return fail(NoRouteError(topic))
        return succeed(self._route(topic))

    def get(self, topic: str) -> TopicRoute | None:
        """Give a route, or None."""
        return self._route(topic) if topic in self.counts else None

    def watch(self, topic: str) -> None:
        """Note the topic."""
        self.watched.add(topic)

    def readable(self, topic: str) -> list[MessageQueue]:
        """List the queues."""
        return queues(topic, self.counts.get(topic, 0))

    writable = readable

    def _route(self, topic: str) -> TopicRoute:
        """Make the route."""
        count = self.counts[topic]
        return TopicRoute(
            broker_datas=(BrokerData("c", "broker-a", {0: ADDRESS}),),
            queue_datas=(QueueData("broker-a", count, count, 6),),
        )


class FakeConnection:
    """Keeps what is sent one way."""

    def __init__(self) -> None:
        self.one_way: list[Any] = []

    def call_one_way(self, request: Any) -> None:
        """Keep it."""
        self.one_way.append(request)


class FakeBrokers:
    """
    Brokers whose responses the test gives; all are at one address.

    :ivar calls: every call: (address, request, Deferred of its response).
    :ivar responses: request class -> response, exception, or a function of the request;
        a class that is not here gets no response.
    :ivar made: the one connection.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.calls: list[tuple[str, Any, Deferred[Any]]] = []
        self.responses: dict[type, Any] = {}
        self.made = FakeConnection()

    def address(
        self, broker_name: str, broker_id: int = 0, any_broker: bool = False
    ) -> str | None:
        """Know one broker."""
        return ADDRESS if broker_name == "broker-a" else None

    def live(self, address: str) -> None:
        """Have no connection to which a frame could be written."""
        return None

    def connection(self, address: str) -> Deferred[FakeConnection]:
        """Give the connection at once."""
        return succeed(self.made)

    def call(self, address: str, request: Any, timeout: float = 3.0) -> Deferred[Any]:
        """Respond as the test wants."""
        response: Deferred[Any] = Deferred()
        self.calls.append((address, request, response))
        made = self.responses.get(type(request))
        if callable(made):
            made = made(request)
        if isinstance(made, Exception):
            response.errback(made)
        elif made is not None:
            response.callback(made)
        return response.addTimeout(timeout, self._clock)

    def call_for(
        self, queue: MessageQueue, request: Any, timeout: float = 3.0
    ) -> Deferred[Any]:
        """Call the broker of a queue."""
        address = self.address(queue.broker_name)
        if address is None:
            return fail(ConnectError(queue.broker_name, "not known"))
        return self.call(address, request, timeout)

    def sent(self, kind: type) -> list[Any]:
        """List the requests of one kind."""
        return [request for _, request, _ in self.calls if type(request) is kind]


class FakeHeartbeats:
    """Counts heartbeats, and keeps the groups that were left."""

    def __init__(self) -> None:
        self.count = 0
        self.unregistered: list[str] = []

    def send_all(self) -> Deferred[None]:
        """Count it."""
        self.count += 1
        return succeed(None)

    def unregister_consumer(self, group: str) -> Deferred[None]:
        """Keep it."""
        self.unregistered.append(group)
        return succeed(None)


class FakeGroups:
    """Keeps the members."""

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}

    def add_consumer(self, group: str, member: Any) -> None:
        """Keep a member."""
        self.members[group] = member

    def remove_consumer(self, group: str) -> None:
        """Forget it."""
        self.members.pop(group, None)


class FakeMember:
    """
    A consumer that counts its notifications.

    :ivar notified: how often the members of its group have changed.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.notified = 0

    def consumer_data(self) -> ConsumerData:
        """Describe it."""
        return ConsumerData(
            self.group, ConsumeType.CONSUME_PASSIVELY, MessageModel.CLUSTERING
        )

    def members_changed(self) -> None:
        """Count."""
        self.notified += 1


class FakeNameServers:
    """One name server."""

    addresses = ("10.0.0.1:9876",)


class FakeSession:
    """A session of fake parts."""

    def __init__(self, counts: dict[str, int] | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.client_id = "10.0.0.9@1"
        self.local_name = "10.0.0.9@DEFAULT"
        self.run_in_thread = run_here
        self.running = True
        self.grace = 10.0
        self.config = ClientConfig()
        self.routes = FakeRoutes(counts or {})
        self.brokers = FakeBrokers(self.clock)
        self.heartbeats = FakeHeartbeats()
        self.groups = FakeGroups()
        self.remote_commands = RemoteCommands(Router())
        self.name_servers = FakeNameServers()
