"""
The table of brokers and topics: which broker holds which queues.

Brokers of one name form a group: the master, with broker id 0, and its replicas. The
queues of a topic belong to the group. They are set by registrations of the master, or
of the replica with the lowest id if it supports acting as master.

A broker registers all its topics every 30 s. Most registrations equal the last one and
only renew the entry (:meth:`LiveBrokers.renew`).

A broker may have so many topics that they are not looked at in one reactor iteration:
work is done in steps, between which each topic has its old queues or its new ones. A
broker's version counts once all topics are in the table. The queues of a broker that is
gone are not shown from then on (:meth:`RouteTable.queues_of`), and removed in steps.

Nothing here reads a clock or sends: callers pass ``now`` and act on the results.

Source: ``RouteInfoManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rocketmq_tw.model.route import MASTER_ID, QueueData
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE
from rocketmq_tw.namesrv.errors import RegistrationRefused, TableFull
from rocketmq_tw.namesrv.groups import (
    BrokerGroup,
    is_prime_replica,
    named,
    without,
)
from rocketmq_tw.namesrv.live import BrokerKey, LiveBroker, LiveBrokers, Registration
from rocketmq_tw.namesrv.topic_queues import STEP, TopicQueues, in_steps
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.wire.bodies.dataversion import DataVersion

#: What the removal of a broker counts as, besides its topics.
_BROKER = 10
#: The version of a table of which not all topics are known.
UNKNOWN = DataVersion(-1, -1)
T = TypeVar("T")


def _at_once(_broker_name: str, steps: Steps[None]) -> None:
    """Do all steps."""
    all_at_once(steps)


class RouteTable:
    """
    Brokers by name, queues by topic.

    :param on_change: called with a topic whose route has changed, or None if any
        may have.
    :param on_addresses: called with a group whose brokers have changed, and their
        addresses before, by id.
    :param run: does work on the topics of a broker name in steps; at once if absent.
    :param max_topics: how many topics all brokers may have, each with its own.
    :param max_brokers: how many brokers there may be.
    :param max_mappings_size: characters of all mappings, as JSON.
    :ivar live: the brokers that are alive.
    :ivar groups: brokers by name; read only.
    :ivar queues: maps topic to broker name to queues; read only.
    :ivar mappings: maps static topic to broker name to its mapping; read only.
    """

    def __init__(
        self,
        on_change: Callable[[str | None], None],
        run: Callable[[str, Steps[None]], object] = _at_once,
        *,
        max_topics: int = 500_000,
        max_brokers: int = 10_000,
        max_mappings_size: int = 16 << 20,
        on_addresses: Callable[[BrokerGroup, dict[int, str]], None] | None = None,
    ) -> None:
        self._on_change = on_change
        self._on_addresses = on_addresses
        self._run = run
        self._max_topics = max_topics
        self._max_brokers = max_brokers
        self._refused = 0
        self.live = LiveBrokers()
        self.groups: dict[str, BrokerGroup] = {}
        self._topics = TopicQueues(self.groups, on_change, max_mappings_size)
        self.queues = self._topics.queues
        self.mappings = self._topics.mappings

    @property
    def refused(self) -> int:
        """How many registrations exceeded a limit since the start."""
        return self._refused + self._topics.refused

    @property
    def mappings_size(self) -> int:
        """How many characters all mappings have, as JSON."""
        return self._topics.mappings_size

    @property
    def size(self) -> int:
        """How many topics all brokers have, each with its own."""
        return self._topics.size

    def queues_of(self, topic: str) -> dict[str, QueueData]:
        """Return a topic's queues by broker name, of the brokers that hold it now."""
        return {
            name: data
            for name, data in self.queues.get(topic, {}).items()
            if name in self.groups and topic in self.groups[name].topics
        }

    def register(self, broker: Registration, now: float, forget: bool = False) -> None:
        """Do all steps of :meth:`registering`."""
        for _ in self.registering(broker, now, forget):
            pass

    def registering(
        self, broker: Registration, now: float, forget: bool = False
    ) -> Steps[None]:
        """
        Add a broker and its topics, in steps.

        A broker with the same name and id as another replaces it, unless the state
        version of its table is older: then it is removed, whatever id it had. If the
        broker is removed between two steps, nothing more is added.

        :param forget: remove the topics that it had and does not register now, once
            all parts of its table are registered.
        :raises RegistrationRefused: it is new and registers a single topic.
        :raises TableFull: there would be too many topics or brokers.
        """
        added = yield from self._count_new(broker)
        known = self.live.get(broker.key)
        group = self.groups.get(broker.broker_name)
        addrs = without(group.addrs if group else {}, broker)
        if self._outdated(broker, addrs):
            self.unregister(broker.key, broker.broker_name)
            return
        if broker.broker_id not in addrs and len(broker.topics.topic_config_table) == 1:
            raise RegistrationRefused()
        self._check_size(broker, added)
        if known is not None and known.broker_name != broker.broker_name:
            self.unregister(known.key, known.broker_name)
            known = None
        fresh = (
            known is None
            or broker.broker_id not in addrs
            or known.version != broker.topics.data_version
        )
        addrs[broker.broker_id] = broker.broker_addr
        group = self._join(group, broker, addrs)
        live = self.live.add(broker, now, known.version if known else UNKNOWN)
        names = named(known, broker) if forget else None
        live.named = None if broker.part in (None, "last") else names
        if broker.broker_id == MASTER_ID or is_prime_replica(broker, group):
            whole = names if live.named is None else None
            for _ in self._topics.registering(group, broker, fresh, whole):
                yield None
                if self.live.get(broker.key) is not live:
                    return
        live.version = broker.topics.data_version

    def _count_new(self, broker: Registration) -> Steps[int]:
        """Count the topics that its group lacks, in steps; all if they fit anyway."""
        topics = broker.topics.topic_config_table
        group = self.groups.get(broker.broker_name)
        if group is None or self.size + len(topics) <= self._max_topics:
            return len(topics)
        added = 0
        for topic in in_steps(topics):
            if topic is None:
                yield None
            else:
                added += topic not in group.topics
        return added

    def _check_size(self, broker: Registration, added: int) -> None:
        """Check the limits. :raises TableFull: one would be exceeded."""
        if added and self.size + added > self._max_topics:
            self._refused += 1
            raise TableFull("maxTopics", self._max_topics)
        if self.live.get(broker.key) is None and len(self.live) >= self._max_brokers:
            self._refused += 1
            raise TableFull("maxBrokers", self._max_brokers)

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
        before = group.addrs
        group.addrs = {i: addr for i, addr in before.items() if addr != own}
        if not group.addrs:
            del self.groups[broker_name]
            self._run(broker_name, self._topics.drop(group))
        elif group.acting_master and MASTER_ID not in group.addrs:
            self._run(broker_name, self._topics.set_perms(group, _without_write))
        self._group_changed(group, before)
        return True

    def connection_lost(self, connection: Peer) -> Iterator[LiveBroker | None]:
        """
        Remove the brokers whose last registration came over this connection.

        :returns: yields each that was removed, and None where a step ends.
        """
        brokers = self.live.connected_by(connection)
        return self._remove(brokers, lambda live: live.connection is connection)

    def expire(self, now: float) -> Iterator[LiveBroker | None]:
        """
        Remove the brokers whose last request is longer ago than their timeout.

        :returns: as :meth:`connection_lost`; their connections have to be closed.
        """
        return self._remove(self.live.expired(now), lambda live: live.expired(now))

    def delete_topic(self, topic: str, cluster: str | None = None) -> None:
        """Remove a topic, in one cluster or in all, until a broker registers it."""
        for name in list(self.queues.get(topic, ())):
            group = self.groups.get(name)
            if group is None:
                continue  # the broker is gone, and its queues are being removed
            if not cluster or group.cluster == cluster:
                self._topics.discard(group, topic)
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
            self._topics.set(self.groups[data.broker_name], topic, data)
        return True

    def wipe_write(self, broker_name: str) -> int:
        """Remove the write permission of a broker's topics; return their number."""
        return self._change_perms(broker_name, _without_write)

    def add_write(self, broker_name: str) -> int:
        """Make a broker's topics readable and writeable; return their number."""
        return self._change_perms(broker_name, lambda _: PERM_READ | PERM_WRITE)

    def _change_perms(self, broker_name: str, change: Callable[[int], int]) -> int:
        """Change the permissions of a broker's topics; return their number."""
        group = self.groups.get(broker_name)
        if group is None:
            return 0
        self._run(broker_name, self._topics.set_perms(group, change))
        return len(group.topics)

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
        before = group.addrs
        if present != (before, group.acting_master, group.zone_name):
            group.addrs, group.acting_master, group.zone_name = present
            self._group_changed(group, before)
        return group

    def _remove(
        self, brokers: list[LiveBroker], is_gone: Callable[[LiveBroker], bool]
    ) -> Iterator[LiveBroker | None]:
        """Unregister brokers, unless they are back when it is their turn."""
        used = 0
        for live in brokers:
            if used >= STEP:
                used = 0
                yield None
            if self.live.get(live.key) is not live or not is_gone(live):
                continue
            group = self.groups.get(live.broker_name)
            topics = len(group.topics) if group is not None else 0
            used += _BROKER + min(topics, STEP)
            self.unregister(live.key, live.broker_name)
            yield live

    def _group_changed(self, group: BrokerGroup, before: dict[int, str]) -> None:
        """
        Force the group's next registrations to be decoded; any route may have changed.
        """
        if self._on_addresses is not None and group.addrs != before:
            self._on_addresses(group, before)
        self.live.forget_fingerprints(group.broker_name)
        self._on_change(None)


def _without_write(perm: int) -> int:
    """Return the permission without writing."""
    return perm & ~PERM_WRITE
