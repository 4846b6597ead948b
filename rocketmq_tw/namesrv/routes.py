"""
The table of brokers and topics: which broker holds which queues.

Brokers of one name form a group: the master, with broker id 0, and its replicas. The
queues of a topic belong to the group. They are set by registrations of the master, or
of the replica with the lowest id if it supports acting as master.

A broker registers all its topics every 30 s. Most registrations equal the last one and
only renew the entry (:meth:`LiveBrokers.renew`).

Nothing here reads a clock or sends: callers pass ``now`` and act on the results.

Source: ``RouteInfoManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.route import MASTER_ID, BrokerData, QueueData
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE, TopicConfig
from rocketmq_tw.namesrv.live import BrokerKey, LiveBroker, LiveBrokers, Registration
from rocketmq_tw.remoting.call import Peer


class RegistrationRefused(RocketMQError):
    """
    An unknown broker registered a single topic.

    If it were accepted, its version would count for the whole table, and the broker,
    which first asks whether its version is known, would never send the other topics.
    """

    def __str__(self) -> str:
        return "register broker failed"


class BrokerGroup(msgspec.Struct):
    """The brokers of one name, and the topics that they hold."""

    cluster: str
    broker_name: str
    #: Maps broker id to ``host:port``.
    addrs: dict[int, str] = {}
    acting_master: bool = False
    zone_name: str | None = None
    topics: set[str] = set()

    def data(self) -> BrokerData:
        """Return the group in the form of routes and cluster lists."""
        return BrokerData(
            cluster=self.cluster,
            broker_name=self.broker_name,
            broker_addrs=dict(self.addrs),
            enable_acting_master=self.acting_master,
            zone_name=self.zone_name,
        )


class RouteTable:
    """
    Brokers by name, queues by topic.

    :param on_change: called with a topic whose route has changed, or None if any
        may have.
    :ivar live: the brokers that are alive.
    :ivar groups: brokers by name; read only.
    :ivar queues: maps topic to broker name to queues; read only.
    :ivar mappings: maps static topic to broker name to its mapping; read only.
    """

    def __init__(self, on_change: Callable[[str | None], None]) -> None:
        self._on_change = on_change
        self.live = LiveBrokers()
        self.groups: dict[str, BrokerGroup] = {}
        self.queues: dict[str, dict[str, QueueData]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}

    def register(self, broker: Registration, now: float, forget: bool = False) -> None:
        """
        Add a broker and its topics.

        A broker with the same name and id as another replaces it, unless the state
        version of its table is older: then it is removed, whatever id it had.

        :param forget: remove the topics that it had and does not register now.
        :raises RegistrationRefused: it is new and registers a single topic.
        """
        known = self.live.get(broker.key)
        if known is not None and known.broker_name != broker.broker_name:
            self.unregister(known.key, known.broker_name)
            known = None
        group = self.groups.get(broker.broker_name)
        addrs = _without(group.addrs if group else {}, broker)
        if self._outdated(broker, addrs):
            self.unregister(broker.key, broker.broker_name)
            return
        if broker.broker_id not in addrs and len(broker.topics.topic_config_table) == 1:
            raise RegistrationRefused()
        fresh = (
            known is None
            or broker.broker_id not in addrs
            or known.version != broker.topics.data_version
        )
        addrs[broker.broker_id] = broker.broker_addr
        group = self._join(group, broker, addrs)
        if broker.broker_id == MASTER_ID or _is_prime_replica(broker, group):
            if forget:
                self._forget_unnamed(group, broker)
            self._take_topics(group, broker, fresh)
        self.live.add(broker, now)

    def unregister(self, key: BrokerKey, broker_name: str) -> bool:
        """
        Remove a broker; with the last of its name its topics are removed too.

        :returns: whether it was known.
        """
        known = self.live.drop(key)
        group = self.groups.get(broker_name)
        own = key.broker_addr
        if group is None or own not in group.addrs.values():
            return known
        group.addrs = {i: addr for i, addr in group.addrs.items() if addr != own}
        if not group.addrs:
            del self.groups[broker_name]
            for topic in group.topics:
                self._drop_queues(topic, broker_name)
        elif group.acting_master and MASTER_ID not in group.addrs:
            self._set_perms(group, _without_write)
        self._group_changed(group)
        return True

    def connection_lost(self, connection: Peer) -> list[LiveBroker]:
        """
        Remove and return the brokers whose last registration came over this connection.
        """
        return self._remove(self.live.connected_by(connection))

    def expire(self, now: float) -> list[LiveBroker]:
        """
        Remove the brokers whose last request is longer ago than their timeout.

        :returns: the removed brokers, whose connections have to be closed.
        """
        return self._remove(self.live.expired(now))

    def delete_topic(self, topic: str, cluster: str | None = None) -> None:
        """Remove a topic, in one cluster or in all, until a broker registers it."""
        for name in list(self.queues.get(topic, ())):
            group = self.groups[name]
            if not cluster or group.cluster == cluster:
                group.topics.discard(topic)
                self._drop_queues(topic, name)
                self.live.forget_fingerprints(name)

    def add_topic(self, topic: str, queues: Iterable[QueueData]) -> bool:
        """
        Add a topic's queues for several brokers, as static topics need.

        :returns: False, and nothing is added, if one of the brokers is unknown.
        """
        given = list(queues)
        if not all(data.broker_name in self.groups for data in given):
            return False
        for data in given:
            self._set_queues(self.groups[data.broker_name], topic, data)
        return True

    def wipe_write(self, broker_name: str) -> int:
        """Remove the write permission of a broker's topics; return their number."""
        group = self.groups.get(broker_name)
        return self._set_perms(group, _without_write) if group else 0

    def add_write(self, broker_name: str) -> int:
        """Make a broker's topics readable and writeable; return their number."""
        group = self.groups.get(broker_name)
        return self._set_perms(group, lambda _: PERM_READ | PERM_WRITE) if group else 0

    def _outdated(self, broker: Registration, addrs: dict[int, str]) -> bool:
        """Whether another broker has this id now, with a newer table."""
        present = addrs.get(broker.broker_id)
        if present is None or present == broker.broker_addr:
            return False
        live = self.live.get(BrokerKey(broker.cluster, present))
        mine = broker.topics.data_version.state_version
        return live is not None and live.version.state_version > mine

    def _join(
        self, group: BrokerGroup | None, broker: Registration, addrs: dict[int, str]
    ) -> BrokerGroup:
        """Add the broker to its group, creating the group if needed."""
        if group is None:
            group = BrokerGroup(broker.cluster, broker.broker_name)
            self.groups[broker.broker_name] = group
        present = (addrs, bool(broker.acting_master), broker.zone_name)
        if present != (group.addrs, group.acting_master, group.zone_name):
            group.addrs, group.acting_master, group.zone_name = present
            self._group_changed(group)
        return group

    def _take_topics(
        self, group: BrokerGroup, broker: Registration, fresh: bool
    ) -> None:
        """Apply all topics of a new table, otherwise only unknown topics."""
        # A replica that acts as master is read-only.
        acts = broker.broker_id != MASTER_ID and group.acting_master
        mask = ~PERM_WRITE if acts else -1
        shared: dict[QueueData, QueueData] = {}
        for config in broker.topics.topic_config_table.values():
            if fresh or config.topic_name not in group.topics:
                data = _queue_data(group.broker_name, config, mask)
                data = shared.setdefault(data, data)
                self._set_queues(group, config.topic_name, data)
        if fresh:
            for topic, info in broker.topics.topic_queue_mapping_info_map.items():
                self.mappings.setdefault(topic, {})[str(info.get("bname"))] = info
                self._on_change(topic)

    def _forget_unnamed(self, group: BrokerGroup, broker: Registration) -> None:
        """Remove the topics that the broker no longer registers."""
        # Brokers with static topics do not register all of them.
        if not broker.topics.topic_queue_mapping_info_map:
            for topic in group.topics - broker.topics.topic_config_table.keys():
                group.topics.discard(topic)
                self._drop_queues(topic, group.broker_name)

    def _set_queues(self, group: BrokerGroup, topic: str, data: QueueData) -> None:
        """Set the queues of a topic in a group."""
        holders = self.queues.setdefault(topic, {})
        group.topics.add(topic)
        if holders.get(group.broker_name) != data:
            holders[group.broker_name] = data
            self._on_change(topic)

    def _drop_queues(self, topic: str, broker_name: str) -> None:
        """Remove the queues of a topic in a group."""
        for table in (self.queues, self.mappings):
            holders = table.get(topic)
            if holders is not None:
                holders.pop(broker_name, None)
                if not holders:
                    del table[topic]
        self._on_change(topic)

    def _set_perms(self, group: BrokerGroup, change: Callable[[int], int]) -> int:
        """Change the permissions of all topics of a group; return their number."""
        for topic in group.topics:
            data = self.queues[topic][group.broker_name]
            changed = msgspec.structs.replace(data, perm=change(data.perm))
            self._set_queues(group, topic, changed)
        return len(group.topics)

    def _remove(self, brokers: list[LiveBroker]) -> list[LiveBroker]:
        """Unregister these brokers."""
        for live in brokers:
            self.unregister(live.key, live.broker_name)
        return brokers

    def _group_changed(self, group: BrokerGroup) -> None:
        """
        Force the group's next registrations to be decoded; any route may have changed.
        """
        self.live.forget_fingerprints(group.broker_name)
        self._on_change(None)


def _is_prime_replica(broker: Registration, group: BrokerGroup) -> bool:
    """Whether this broker has the lowest id and supports acting masters."""
    return broker.acting_master is not None and broker.broker_id == min(group.addrs)


def _without(addrs: dict[int, str], broker: Registration) -> dict[int, str]:
    """Return the addresses without the broker's own under another id."""
    own, own_id = broker.broker_addr, broker.broker_id
    return {i: addr for i, addr in addrs.items() if addr != own or i == own_id}


def _without_write(perm: int) -> int:
    """Return the permission without writing."""
    return perm & ~PERM_WRITE


def _queue_data(broker_name: str, config: TopicConfig, mask: int) -> QueueData:
    """Return a topic's configuration in the form of routes."""
    return QueueData(
        broker_name,
        config.read_queue_nums,
        config.write_queue_nums,
        config.perm & mask,
        config.topic_sys_flag,
    )
