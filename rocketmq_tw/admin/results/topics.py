"""What is known of topics."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from rocketmq_tw.admin.results.cluster import BrokerAddress


class Kind(StrEnum):
    """Whose topic it is."""

    NORMAL = "normal"
    RETRY = "retry"
    DEAD_LETTERS = "dead letters"
    SYSTEM = "system"


class TopicSummary(msgspec.Struct, frozen=True):
    """
    One topic of the list.

    :ivar type: ``NORMAL``, ``FIFO``, ``DELAY``, ``TRANSACTION``, ``PRIORITY``...; None,
        as the other settings, if no broker was asked for it.
    :ivar queues: writeable queues, of all brokers together.
    :ivar permission: ``rw``, ``r``, ``w`` or ``-``; of several, separated by commas.
    :ivar brokers: the names of the brokers that have it.
    """

    name: str
    kind: Kind = Kind.NORMAL
    type: str | None = None
    queues: int | None = None
    permission: str | None = None
    brokers: tuple[str, ...] = ()


class TopicOnBroker(msgspec.Struct, frozen=True):
    """The settings of a topic at one broker."""

    broker: str
    address: str
    read_queues: int
    write_queues: int
    permission: str
    ordered: bool
    attributes: dict[str, str] = {}


class TopicDetails(msgspec.Struct, frozen=True, kw_only=True):
    """
    One topic.

    :ivar route: the brokers in the route that name servers give to clients.
    :ivar order_configuration: ``broker-a:4;broker-b:4``, if there is one.
    :ivar settings: of each broker that has the topic.
    """

    name: str
    kind: Kind
    type: str
    route: tuple[BrokerAddress, ...]
    order_configuration: str | None = None
    settings: tuple[TopicOnBroker, ...] = ()
    failed: dict[str, str] = {}


class QueueStats(msgspec.Struct, frozen=True):
    """
    One queue.

    :ivar min: the queue offset of the oldest message.
    :ivar max: the queue offset that the next message gets.
    :ivar last_update: when the last message was stored.
    """

    broker: str
    queue_id: int
    min: int
    max: int
    last_update: datetime | None = None


class TopicStats(msgspec.Struct, frozen=True):
    """
    The queues of a topic.

    :ivar messages: how many are kept, in all queues.
    :ivar put_rate: messages stored per second, of all brokers.
    """

    name: str
    queues: tuple[QueueStats, ...]
    messages: int = 0
    put_rate: float = 0.0
    failed: dict[str, str] = {}


class Changed(msgspec.Struct, frozen=True):
    """
    Which brokers, or name servers, have done what was asked for.

    :ivar done: broker names or addresses.
    """

    done: tuple[str, ...]
    failed: dict[str, str] = {}
