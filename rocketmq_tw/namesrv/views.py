"""
The views of the table that clients get: routes, clusters, lists of topics.

Every client of a topic requests its route every 30 s, so :class:`RouteTexts` caches the
encoded route until it changes.

Source: ``RouteInfoManager``, ``ClientRequestProcessor`` and ``ZoneRouteRPCHook`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rocketmq_tw.model.route import MASTER_ID, BrokerData, TopicRoute
from rocketmq_tw.model.topic import SYNC_BROKER_MEMBER_PREFIX, is_writable
from rocketmq_tw.namesrv.large_routes import MANY
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.pacing import Steps, all_at_once, parts_of
from rocketmq_tw.wire.bodies.route import STRICT_SINCE, encode_route_for
from rocketmq_tw.wire.bodies.topics import TopicList


def route_of(table: RouteTable, topic: str, acting: bool = False) -> TopicRoute | None:
    """Return the brokers and queues of a topic: see :func:`route_in_steps`."""
    return all_at_once(route_in_steps(table, topic, acting))


def route_in_steps(
    table: RouteTable, topic: str, acting: bool = False
) -> Steps[TopicRoute | None]:
    """
    Return the brokers and queues of a topic, in steps if there are many brokers.

    :param acting: list a replica as master if the master is missing, if its group
        allows that and the topic is not writeable.
    :returns: of the generator: None if no broker holds the topic.
    """
    queues = table.queues_of(topic)
    if not queues:
        return None
    brokers: list[BrokerData] = []
    servers: dict[str, tuple[str, ...]] = {}
    for names in parts_of(sorted(queues), MANY):
        if brokers:
            yield None
        # Some may be gone since the step before.
        some = [table.groups[name].data() for name in names if name in table.groups]
        if acting and not topic.startswith(SYNC_BROKER_MEMBER_PREFIX):
            some = [
                broker
                if is_writable(queues[broker.broker_name].perm)
                else _with_acting_master(broker)
                for broker in some
            ]
        brokers += some
        servers |= _filter_servers(table, some)
    return TopicRoute(
        broker_datas=tuple(brokers),
        queue_datas=tuple(queues[broker.broker_name] for broker in brokers),
        filter_server_table=servers,
        topic_queue_mapping_by_broker=table.mappings.get(topic),
    )


def in_zone(route: TopicRoute, zone: str) -> TopicRoute:
    """Keep the brokers of a zone, and those without a master in any zone."""
    kept = [
        broker
        for broker in route.broker_datas
        if broker.master is None or (broker.zone_name or "").lower() == zone.lower()
    ]
    names = {broker.broker_name for broker in kept}
    addresses = {addr for broker in kept for addr in broker.broker_addrs.values()}
    servers = route.filter_server_table.items()
    return msgspec.structs.replace(
        route,
        broker_datas=tuple(kept),
        queue_datas=tuple(d for d in route.queue_datas if d.broker_name in names),
        filter_server_table={a: known for a, known in servers if a in addresses},
    )


def system_topics(table: RouteTable) -> TopicList:
    """Return the topics named after clusters and brokers, with one broker's address."""
    names: set[str] = set()
    address = None
    for group in table.groups.values():
        names.update((group.cluster, group.broker_name))
        address = address or group.addrs[min(group.addrs)]
    return TopicList(tuple(sorted(names)), address)


def of_cluster(table: RouteTable, cluster: str) -> Callable[[str], bool]:
    """Return a test whether brokers of a cluster hold a topic."""

    names = {name for name, each in table.groups.items() if each.cluster == cluster}

    def holds(topic: str) -> bool:
        for name in table.queues.get(topic, ()):
            group = table.groups.get(name) if name in names else None
            if group is not None and topic in group.topics:
                return True
        return False

    return holds


def flagged(table: RouteTable, wanted: int, unwanted: int = 0) -> Callable[[str], bool]:
    """Return a test of the bits of ``topic_sys_flag``."""
    mask = wanted | unwanted

    def is_flagged(topic: str) -> bool:
        queues = table.queues.get(topic)
        if not queues:
            return False
        # The first broker of a topic is decisive, as in Java.
        return next(iter(queues.values())).topic_sys_flag & mask == wanted

    return is_flagged


#: Bytes of encoded routes that are kept; one has some 300 for each broker of a topic.
KEPT_BYTES = 128 << 20
#: Bytes that a route takes besides its text.
_ENTRY = 500


class RouteTexts:
    """
    A cache of encoded routes, each encoded at the first request.

    :param find: returns the route of a topic.
    :param kept_bytes: all are discarded before they become larger.
    :ivar size: bytes that are kept now.
    :ivar changes: how often a route was discarded.
    """

    def __init__(
        self,
        find: Callable[[str], TopicRoute | None],
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._find = find
        self._kept_bytes = kept_bytes
        self._texts: dict[str, dict[bool, bytes]] = {}
        self.size = self.changes = 0

    def known(self, topic: str, strict: bool) -> bytes | None:
        """Return the encoded route if it is kept."""
        return self._texts.get(topic, {}).get(strict)

    def get(self, topic: str, version: int, strict_only: bool) -> bytes | None:
        """
        Return the route as JSON that the client can read; None if no broker has the
        topic.

        :param version: the version in the request's header.
        :param strict_only: the request's ``acceptStandardJsonOnly``.
        """
        strict = strict_only or version >= STRICT_SINCE
        texts = self._texts.get(topic)
        if texts is None or strict not in texts:
            route = self._find(topic)
            if route is None:
                return None
            text = encode_route_for(route, version, strict_only)
            self.keep(topic, strict, text)
            return text
        return texts[strict]

    def forget(self, topic: str | None) -> None:
        """Discard the encoded route of a topic, or all."""
        self.changes += 1
        if topic is None:
            self._texts.clear()
            self.size = 0
        else:
            texts = self._texts.pop(topic, {})
            self.size -= sum(_ENTRY + len(text) for text in texts.values())

    def keep(self, topic: str, strict: bool, text: bytes) -> None:
        """Keep an encoded route, and discard the others if it would be too much."""
        size = _ENTRY + len(text)
        if self.size + size > self._kept_bytes:
            self.forget(None)
        if size <= self._kept_bytes:
            self._texts.setdefault(topic, {})[strict] = text
            self.size += size


def _with_acting_master(broker: BrokerData) -> BrokerData:
    """
    List the replica with the lowest id as master, if that is missing and it may act.
    """
    if broker.master is not None or not broker.enable_acting_master:
        return broker
    addrs = dict(broker.broker_addrs)
    addrs[MASTER_ID] = addrs.pop(min(addrs))
    return msgspec.structs.replace(broker, broker_addrs=addrs)


def _filter_servers(
    table: RouteTable, brokers: list[BrokerData]
) -> dict[str, tuple[str, ...]]:
    """Return the filter servers (of 4.x) by broker address."""
    servers = {}
    for broker in brokers:
        for address in broker.broker_addrs.values():
            live = table.live.get(BrokerKey(broker.cluster or "", address))
            if live is not None and live.filter_servers:
                servers[address] = live.filter_servers
    return servers
