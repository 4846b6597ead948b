"""The clients that are connected to brokers, and what consumers say of themselves."""

from __future__ import annotations

from datetime import datetime

import msgspec

from rocketmq_tw.admin.results.groups import SubscriptionOf


class ClientSummary(msgspec.Struct, frozen=True, kw_only=True):
    """
    One client.

    :ivar produces: the producer groups in which it is.
    :ivar consumes: the consumer groups in which it is.
    :ivar brokers: the names of the brokers to which it is connected.
    :ivar last_heartbeat: of a producer, if brokers say it.
    """

    client_id: str
    address: str
    language: str
    version: str
    produces: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    brokers: tuple[str, ...] = ()
    last_heartbeat: datetime | None = None


class ConnectedClients(msgspec.Struct, frozen=True):
    """All clients, sorted by id."""

    clients: tuple[ClientSummary, ...]
    failed: dict[str, str] = {}


class QueueOfConsumer(msgspec.Struct, frozen=True, kw_only=True):
    """
    A queue that a consumer reads.

    :ivar committed: the next queue offset to consume.
    :ivar cached: messages that it has fetched and not consumed.
    :ivar cached_size: bytes of them, to a MiB.
    :ivar locked: whether it has the lock that an ordered consumer needs.
    """

    topic: str
    broker: str
    queue_id: int
    committed: int
    cached: int
    cached_size: int
    locked: bool
    last_pull: datetime | None = None
    last_consumed: datetime | None = None


class TopicOfConsumer(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a consumer fares with a topic, on average.

    :ivar pull_time: seconds of one pull.
    :ivar consume_time: seconds that its handler takes.
    :ivar failures: failed messages of the last hour.
    """

    topic: str
    pull_time: float
    pull_rate: float
    consume_time: float
    ok_rate: float
    failed_rate: float
    failures: int


class RunningInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a consumer says of itself."""

    group: str
    client_id: str
    started: datetime | None
    version: str
    mode: str
    ordered: bool
    subscriptions: tuple[SubscriptionOf, ...]
    queues: tuple[QueueOfConsumer, ...]
    topics: tuple[TopicOfConsumer, ...]
    properties: dict[str, str]
    stack: str | None = None
