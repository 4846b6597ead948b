"""
The route of a topic: which brokers hold which of its queues.

Source: ``TopicRouteData``, ``BrokerData``, ``QueueData`` and, for the lists of queues,
``MQClientInstance.topicRouteData2TopicPublishInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.model.errors import TooManyQueues
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_readable, is_writable

#: The broker id of the master; replicas have higher ones.
MASTER_ID = 0
#: A route with more queues, of all brokers, is refused: a few bytes could stand for
#: thousands of millions. A topic has at most 65,535 on one broker.
MAX_QUEUES = 1 << 17
#: No count of queues has more digits.
_MOST_DIGITS = 9


class BrokerData(msgspec.Struct, frozen=True, rename="camel"):
    """The brokers of one name: master and replicas."""

    cluster: str | None
    broker_name: str
    #: Maps broker id to ``host:port``.
    broker_addrs: dict[int, str] = {}
    enable_acting_master: bool = False
    zone_name: str | None = None

    @property
    def master(self) -> str | None:
        """The master's address, if there is a master."""
        return self.broker_addrs.get(MASTER_ID)


class QueueData(msgspec.Struct, frozen=True, rename="camel"):
    """How many queues of the topic the brokers of one name hold."""

    broker_name: str
    read_queue_nums: int = 0
    write_queue_nums: int = 0
    perm: int = 0
    topic_sys_flag: int = 0


class TopicRoute(msgspec.Struct, frozen=True, rename="camel"):
    """The brokers and queues of one topic."""

    broker_datas: tuple[BrokerData, ...] = ()
    queue_datas: tuple[QueueData, ...] = ()
    filter_server_table: dict[str, tuple[str, ...]] = {}
    #: ``broker-a:4;broker-b:4``: the queues of a topic whose order is global.
    order_topic_conf: str | None = None
    #: Maps broker name to the mapping info of a static topic (5.x), not interpreted.
    topic_queue_mapping_by_broker: dict[str, dict[str, Any]] | None = None

    @property
    def ordered(self) -> bool:
        """Return whether an order configuration defines the queues to write to."""
        return bool(self.order_topic_conf)

    def master_of(self, broker_name: str) -> str | None:
        """Return the address of the master of that name; None if it is unknown."""
        for broker in self.broker_datas:
            if broker.broker_name == broker_name:
                return broker.master
        return None

    @property
    def awaits_master(self) -> bool:
        """
        Return whether a broker has writeable queues but no master: only slaves of it
        are registered, for example while the master restarts.
        """
        masters = {broker.broker_name: broker.master for broker in self.broker_datas}
        return any(
            is_writable(data.perm)
            and data.write_queue_nums > 0
            and masters.get(data.broker_name, "") is None
            for data in self.queue_datas
        )

    def writable(self, topic: str) -> list[MessageQueue]:
        """
        Return the queues a producer may choose from, sorted by broker name and queue
        id.

        If there is an order configuration, it alone counts. Otherwise the permission
        must allow writing and there must be a master.

        :raises TooManyQueues: there are more than ``MAX_QUEUES``.
        """
        if self.order_topic_conf:
            return _queues(topic, _ordered_counts(self.order_topic_conf))
        masters: dict[str, str | None] = {}
        for broker in self.broker_datas:
            masters.setdefault(broker.broker_name, broker.master)
        return _queues(
            topic,
            [
                (data.broker_name, data.write_queue_nums)
                for data in sorted(self.queue_datas, key=_by_broker_name)
                if is_writable(data.perm) and masters.get(data.broker_name) is not None
            ],
        )

    def readable(self, topic: str) -> list[MessageQueue]:
        """
        Return the queues to assign to consumers; a replica without a master is enough.

        :raises TooManyQueues: there are more than ``MAX_QUEUES``.
        """
        return _queues(
            topic,
            [
                (data.broker_name, data.read_queue_nums)
                for data in sorted(self.queue_datas, key=_by_broker_name)
                if is_readable(data.perm)
            ],
        )

    def canonical(self) -> TopicRoute:
        """Return a copy with sorted brokers and queues, so that equal routes compare
        equal.
        """
        return msgspec.structs.replace(
            self,
            broker_datas=tuple(sorted(self.broker_datas, key=_by_broker_name)),
            queue_datas=tuple(sorted(self.queue_datas, key=_by_broker_name)),
        )


def _by_broker_name(data: BrokerData | QueueData) -> str:
    return data.broker_name


def _ordered_counts(conf: str) -> list[tuple[str, int]]:
    """Read ``broker:n;broker:n``; parts of another form are ignored."""
    counts = []
    for part in conf.split(";"):
        broker_name, _, count = part.strip().rpartition(":")
        if broker_name and count.isdecimal() and len(count) <= _MOST_DIGITS:
            counts.append((broker_name, int(count)))
    return counts


def _queues(topic: str, counts: list[tuple[str, int]]) -> list[MessageQueue]:
    """
    Return so many queues of each broker name.

    :raises TooManyQueues: there are more than ``MAX_QUEUES``; none was made.
    """
    total = sum(max(count, 0) for _, count in counts)
    if total > MAX_QUEUES:
        raise TooManyQueues(topic, total, MAX_QUEUES)
    return [
        MessageQueue(topic, broker_name, queue_id)
        for broker_name, count in counts
        for queue_id in range(count)
    ]
