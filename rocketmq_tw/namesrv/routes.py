"""
The table of brokers and topics: who holds which queues.

Brokers of one name form a group: the master, broker id 0, and its replicas. The queues
of a topic belong to the group; the master's registrations set them, or those of the
lowest id there is, if that replica supports acting as master.

A broker registers all its topics every 30 s. Most of these registrations are the same
bytes as the last; they only renew the entry (:meth:`LiveBrokers.renew`).

Nothing here reads a clock or sends: callers pass ``now``, and act on what is returned.

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
    A broker that is not known yet registered a single topic.

    If it were accepted, its version would count for the whole table, and a broker that
    asks whether its version is known would never send the rest.
    """

    def __str__(self) -> str:
        return "register broker failed"


class BrokerGroup(msgspec.Struct):
    """The brokers of one name, and the topics that they hold."""

    cluster: str
    broker_name: str
    #: Broker id to ``host:port``.
    addrs: dict[int, str] = {}
    acting_master: bool = False
    zone_name: str | None = None
    topics: set[str] = set()

    def data(self) -> BrokerData:
        """Make what routes and cluster lists have of the group."""
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

    :param on_change: called with a topic whose route has changed, with None when any
        may have.
    :ivar live: the brokers that are alive.
    :ivar groups: brokers by name; read only.
    :ivar queues: topic to broker name to queues; read only.
    :ivar mappings: topic to broker name to the mapping of a static topic; read only.
    """

    def __init__(self, on_change: Callable[[str | None], None]) -> None:
        self._on_change = on_change
        self.live = LiveBrokers()
        self.groups: dict[str, BrokerGroup] = {}
        self.queues: dict[str, dict[str, QueueData]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}

    def register(self, broker: Registration, now: float, forget: bool = False) -> None:
        """
        Enter a broker and its topics.

        One with the id of another of the same name replaces it, unless the state
        version of its table is older: then it is removed, whatever id it had.

        :param forget: remove the topics that it had and does not name.
        :raises RegistrationRefused: it is new and names a single topic.
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
        Remove a broker; with the last of its name, its topics are removed too.

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
        """Remove, and return, those whose last registration came by this connection."""
        return self._remove(self.live.connected_by(connection))

    def expire(self, now: float) -> list[LiveBroker]:
        """
        Remove the brokers whose last request is too long ago.

        :returns: those; their connections are to be closed.
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
        Add a topic's queues on behalf of brokers, as static topics need.

        :returns: False if one names a broker that is not known; nothing is added then.
        """
        given = list(queues)
        if not all(data.broker_name in self.groups for data in given):
            return False
        for data in given:
            self._set_queues(self.groups[data.broker_name], topic, data)
        return True

    def wipe_write(self, broker_name: str) -> int:
        """Clear the write permission of a broker's topics; returns their number."""
        group = self.groups.get(broker_name)
        return self._set_perms(group, _without_write) if group else 0

    def add_write(self, broker_name: str) -> int:
        """Let a broker's topics be read and written; returns their number."""
        group = self.groups.get(broker_name)
        return self._set_perms(group, lambda _: PERM_READ | PERM_WRITE) if group else 0

    def _outdated(self, broker: Registration, addrs: dict[int, str]) -> bool:
        """Whether the broker that has this id now has a newer table."""
        present = addrs.get(broker.broker_id)
        if present is None or present == broker.broker_addr:
            return False
        live = self.live.get(BrokerKey(broker.cluster, present))
        mine = broker.topics.data_version.state_version
        return live is not None and live.version.state_version > mine

    def _join(
        self, group: BrokerGroup | None, broker: Registration, addrs: dict[int, str]
    ) -> BrokerGroup:
        """Enter the broker into its group, which may be new."""
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
        """Apply what is new: all of a fresh table, else topics not known yet."""
        # A replica that acts as master can be read from only.
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
        """Remove the topics that the broker has no more."""
        # Brokers with static topics do not register all of them.
        if not broker.topics.topic_queue_mapping_info_map:
            for topic in group.topics - broker.topics.topic_config_table.keys():
                group.topics.discard(topic)
                self._drop_queues(topic, group.broker_name)

    def _set_queues(self, group: BrokerGroup, topic: str, data: QueueData) -> None:
        """Set the queues that a group holds of a topic."""
        holders = self.queues.setdefault(topic, {})
        group.topics.add(topic)
        if holders.get(group.broker_name) != data:
            holders[group.broker_name] = data
            self._on_change(topic)

    def _drop_queues(self, topic: str, broker_name: str) -> None:
        """Remove the queues that a group held of a topic."""
        for table in (self.queues, self.mappings):
            holders = table.get(topic)
            if holders is not None:
                holders.pop(broker_name, None)
                if not holders:
                    del table[topic]
        self._on_change(topic)

    def _set_perms(self, group: BrokerGroup, change: Callable[[int], int]) -> int:
        """Change the permissions of all topics of a group; returns their number."""
        for topic in group.topics:
            data = self.queues[topic][group.broker_name]
            changed = msgspec.structs.replace(data, perm=change(data.perm))
            self._set_queues(group, topic, changed)
        return len(group.topics)

    def _remove(self, brokers: list[LiveBroker]) -> list[LiveBroker]:
        """Unregister all of these."""
        for live in brokers:
            self.unregister(live.key, live.broker_name)
        return brokers

    def _group_changed(self, group: BrokerGroup) -> None:
        """Have all of the group read in full again; any route may differ."""
        self.live.forget_fingerprints(group.broker_name)
        self._on_change(None)


def _is_prime_replica(broker: Registration, group: BrokerGroup) -> bool:
    """Whether this is the lowest id, of a broker that supports acting masters."""
    return broker.acting_master is not None and broker.broker_id == min(group.addrs)


def _without(addrs: dict[int, str], broker: Registration) -> dict[int, str]:
    """Copy the addresses, but for the broker's own under another id."""
    own, own_id = broker.broker_addr, broker.broker_id
    return {i: addr for i, addr in addrs.items() if addr != own or i == own_id}


def _without_write(perm: int) -> int:
    """Clear the write permission."""
    return perm & ~PERM_WRITE


def _queue_data(broker_name: str, config: TopicConfig, mask: int) -> QueueData:
    """Make what routes have of a topic's configuration."""
    return QueueData(
        broker_name,
        config.read_queue_nums,
        config.write_queue_nums,
        config.perm & mask,
        config.topic_sys_flag,
    )
