"""
The queues of topics: which broker names hold a topic, and which queues each has.

A group may have so many topics that they are not looked at in one reactor iteration.
So what concerns all of them is done in steps, between which each topic has its old
queues or its new ones. A group that is gone, or replaced by another one of its name,
is left alone by steps that began before.

Source: ``RouteInfoManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from rocketmq_tw.model.route import MASTER_ID, QueueData
from rocketmq_tw.model.topic import PERM_WRITE
from rocketmq_tw.namesrv.errors import TableFull
from rocketmq_tw.namesrv.groups import BrokerGroup, queue_data
from rocketmq_tw.namesrv.live import Registration
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire import fastjson

#: How many topics are looked at in one step: some 2 ms.
STEP = 1000
T = TypeVar("T")


class TopicQueues:
    """
    Queues by topic.

    :param groups: brokers by name, of those that are there.
    :param on_change: called with a topic whose route has changed.
    :param max_mappings_size: characters that all mappings may have, as JSON.
    :ivar refused: how many mappings were one too many.
    :ivar queues: maps topic to broker name to queues.
    :ivar mappings: maps static topic to broker name to its mapping.
    :ivar size: how many topics all groups have, each with its own.
    :ivar mappings_size: characters of all mappings, as JSON.
    """

    def __init__(
        self,
        groups: Mapping[str, BrokerGroup],
        on_change: Callable[[str | None], None],
        max_mappings_size: int = 16 << 20,
    ) -> None:
        self._max_mappings_size = max_mappings_size
        self.refused = 0
        self._groups = groups
        self._on_change = on_change
        self.queues: dict[str, dict[str, QueueData]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}
        self.size = self.mappings_size = 0

    def registering(
        self,
        group: BrokerGroup,
        broker: Registration,
        fresh: bool,
        whole: set[str] | None,
    ) -> Steps[None]:
        """
        Apply all topics of a new table, otherwise only unknown topics.

        :param whole: all topics of the broker, to remove others; None removes none.
        """
        # A replica that acts as master is read-only.
        acts = broker.broker_id != MASTER_ID and group.acting_master
        mask = ~PERM_WRITE if acts else -1
        shared: dict[QueueData, QueueData] = {}
        topics = broker.topics.topic_config_table
        for config in in_steps(topics.values()):
            if config is None:
                yield None
            elif fresh or config.topic_name not in group.topics:
                data = queue_data(group.broker_name, config, mask)
                data = shared.setdefault(data, data)
                self.set(group, config.topic_name, data)
        infos = broker.topics.topic_queue_mapping_info_map
        if fresh:
            yield from self._set_mappings(group, infos)
        yield from self._discard_each(group, broker.deleted_topics)
        # Brokers with static topics do not register all of them.
        if whole is not None and not infos:
            yield from self._discard_each(group, list(group.topics), kept=whole)

    def _set_mappings(
        self, group: BrokerGroup, infos: Mapping[str, Any]
    ) -> Steps[None]:
        """Set the mappings of static topics, in steps."""
        for item in in_steps(infos.items()):
            if item is None:
                yield None
                continue
            topic, info = item
            # Brokers register the mappings of their own queues only.
            if topic in group.topics and info.get("bname") == group.broker_name:
                self._set_mapping(topic, group.broker_name, info)

    def _set_mapping(self, topic: str, broker_name: str, info: Any) -> None:
        """Set one mapping. :raises TableFull: all would be too long."""
        holders = self.mappings.get(topic, {})
        size = self.mappings_size + _length(info) - _length(holders.get(broker_name))
        if size > self._max_mappings_size:
            self.refused += 1
            raise TableFull("maxMappingsSize", self._max_mappings_size)
        self.mappings_size = size
        self.mappings.setdefault(topic, {})[broker_name] = info
        self._on_change(topic)

    def _discard_each(
        self, group: BrokerGroup, topics: Iterable[str], kept: Container[str] = ()
    ) -> Steps[None]:
        """Remove topics of a group, if it has them, but for some; in steps."""
        for topic in in_steps(topics):
            if topic is None:
                yield None
            elif topic in group.topics and topic not in kept:
                self.discard(group, topic)

    def set(self, group: BrokerGroup, topic: str, data: QueueData) -> None:
        """Set the queues of a topic in a group."""
        holders = self.queues.setdefault(topic, {})
        if topic not in group.topics:
            group.topics.add(topic)
            self.size += self._groups.get(group.broker_name) is group
        if holders.get(group.broker_name) != data:
            holders[group.broker_name] = data
            self._on_change(topic)

    def discard(self, group: BrokerGroup, topic: str) -> None:
        """Remove a topic of a group."""
        if topic in group.topics:
            group.topics.discard(topic)
            self.size -= self._groups.get(group.broker_name) is group
        self._drop_queues(topic, group.broker_name)

    def drop(self, group: BrokerGroup) -> Steps[None]:
        """
        Count the topics of a group that is gone no longer.

        :returns: the steps that remove their queues.
        """
        self.size -= len(group.topics)
        return self._dropping(group)

    def _dropping(self, group: BrokerGroup) -> Steps[None]:
        """Remove the queues of a group that is gone, unless it came back with them."""
        for topic in in_steps(group.topics):
            if topic is None:
                yield None
                continue
            present = self._groups.get(group.broker_name)
            if present is None or topic not in present.topics:
                self._drop_queues(topic, group.broker_name)

    def set_perms(
        self, group: BrokerGroup, change: Callable[[int], int]
    ) -> Steps[None]:
        """Change the permissions of all topics of a group."""
        for topic in in_steps(list(group.topics)):
            if topic is None:
                yield None
                if self._groups.get(group.broker_name) is not group:
                    return
            elif topic in group.topics:
                data = self.queues[topic][group.broker_name]
                changed = msgspec.structs.replace(data, perm=change(data.perm))
                self.set(group, topic, changed)

    def _drop_queues(self, topic: str, broker_name: str) -> None:
        """Remove the queues of a topic in a group."""
        mapping = self.mappings.get(topic, {}).get(broker_name)
        self.mappings_size -= _length(mapping)
        for table in (self.queues, self.mappings):
            holders = table.get(topic)
            if holders is not None:
                holders.pop(broker_name, None)
                if not holders:
                    del table[topic]
        self._on_change(topic)


def _length(mapping: Any) -> int:
    """Count the characters of a mapping, as JSON; 0 without one."""
    return 0 if mapping is None else len(fastjson.dumps_plain(mapping))


def in_steps(items: Iterable[T]) -> Iterator[T | None]:
    """Yield items, and None where a step of :data:`STEP` of them ends."""
    for count, item in enumerate(items):
        if count and not count % STEP:
            yield None
        yield item
