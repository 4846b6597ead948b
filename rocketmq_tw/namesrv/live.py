"""
The brokers that are alive, and the connection over which each registered last.

Source: ``BrokerLiveInfo`` and ``RouteInfoManager.brokerLiveTable`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable

#: Seconds without a request after which a broker is dropped, unless it registers with
#: another limit.
EXPIRY = 120.0


class BrokerKey(NamedTuple):
    """Identifies a broker; ``broker_addr`` is its ``host:port``."""

    cluster: str
    broker_addr: str


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """
    The content of a broker's registration.

    :ivar acting_master: None from brokers without this field (4.9).
    :ivar timeout: seconds without a request after which it is dropped.
    :ivar connection: the broker's connection; when it is lost, the broker is dropped.
    :ivar fingerprint: equal for equal registrations.
    :ivar part: which part of its topics it has, as in ``RegisterBroker``.
    :ivar deleted_topics: the topics that it has no longer.
    """

    cluster: str
    broker_name: str
    broker_addr: str
    broker_id: int = MASTER_ID
    ha_server_addr: str | None = None
    zone_name: str | None = None
    acting_master: bool | None = None
    timeout: float = EXPIRY
    topics: TopicConfigAndMappingTable = TopicConfigAndMappingTable()
    filter_servers: tuple[str, ...] = ()
    connection: Peer | None = None
    fingerprint: int | None = None
    part: str | None = None
    deleted_topics: tuple[str, ...] = ()

    @property
    def key(self) -> BrokerKey:
        """Identifies the broker."""
        return BrokerKey(self.cluster, self.broker_addr)


class LiveBroker(msgspec.Struct, kw_only=True):
    """
    A broker that is registered.

    :ivar last_seen: when its last request was received, in seconds.
    :ivar fingerprint: that of its registration; None forces the next one to be decoded.
    :ivar named: the topics in the parts of a table that is not complete yet, if others
        are to be removed then.
    """

    key: BrokerKey
    broker_name: str
    last_seen: float
    timeout: float
    version: DataVersion
    ha_server_addr: str | None
    filter_servers: tuple[str, ...]
    fingerprint: int | None
    connection: Peer | None = None
    named: set[str] | None = None

    def expired(self, now: float) -> bool:
        """Whether its last request is longer ago than the timeout."""
        return self.last_seen + self.timeout < now


class LiveBrokers:
    """Live brokers by key and by connection."""

    def __init__(self) -> None:
        self._by_key: dict[BrokerKey, LiveBroker] = {}
        # Each live broker is also listed under its name.
        self._by_name: dict[str, set[BrokerKey]] = {}
        # Each live broker with a connection is also listed under that connection.
        self._by_connection: dict[Peer, set[BrokerKey]] = {}

    def __iter__(self) -> Iterator[LiveBroker]:
        return iter(self._by_key.values())

    def get(self, key: BrokerKey) -> LiveBroker | None:
        """Return a broker; None if it is unknown."""
        return self._by_key.get(key)

    def __len__(self) -> int:
        return len(self._by_key)

    def add(
        self, broker: Registration, now: float, version: DataVersion | None = None
    ) -> LiveBroker:
        """
        Add or replace a broker, and bind it to its connection.

        :param version: of its topics that are known, if not that of the registration.
        """
        self.drop(broker.key)
        live = self._by_key[broker.key] = LiveBroker(
            key=broker.key,
            broker_name=broker.broker_name,
            last_seen=now,
            timeout=broker.timeout,
            version=version or broker.topics.data_version,
            ha_server_addr=broker.ha_server_addr,
            filter_servers=broker.filter_servers,
            fingerprint=broker.fingerprint,
        )
        self._by_name.setdefault(broker.broker_name, set()).add(broker.key)
        self._connect(live, broker.connection)
        return live

    def renew(
        self, key: BrokerKey, fingerprint: int, connection: Peer, now: float
    ) -> LiveBroker | None:
        """
        Renew a broker's entry if its registration equals the last one.

        :returns: the entry; None if the registration has to be decoded.
        """
        live = self._by_key.get(key)
        if live is None or live.fingerprint != fingerprint:
            return None
        live.last_seen = now
        if live.connection is not connection:
            self._disconnect(live)
            self._connect(live, connection)
        return live

    def touch(self, key: BrokerKey, now: float) -> None:
        """Renew a broker's entry, if there is one."""
        live = self._by_key.get(key)
        if live is not None:
            live.last_seen = now

    def drop(self, key: BrokerKey) -> bool:
        """Remove a broker; return whether it was known."""
        live = self._by_key.pop(key, None)
        if live is None:
            return False
        self._disconnect(live)
        keys = self._by_name[live.broker_name]
        keys.discard(key)
        if not keys:
            del self._by_name[live.broker_name]
        return True

    def connected_by(self, connection: Peer) -> list[LiveBroker]:
        """Return the brokers whose last registration came over this connection."""
        keys = self._by_connection.get(connection, ())
        return [self._by_key[key] for key in sorted(keys)]

    def expired(self, now: float) -> list[LiveBroker]:
        """Return the brokers whose last request is longer ago than their timeout."""
        return [live for live in self._by_key.values() if live.expired(now)]

    def forget_fingerprints(self, broker_name: str) -> None:
        """Force the next registration of every broker of that name to be decoded."""
        for key in self._by_name.get(broker_name, ()):
            self._by_key[key].fingerprint = None

    def _connect(self, live: LiveBroker, connection: Peer | None) -> None:
        """Bind a broker to the connection over which it registered."""
        live.connection = connection
        if connection is not None:
            self._by_connection.setdefault(connection, set()).add(live.key)

    def _disconnect(self, live: LiveBroker) -> None:
        """Unbind a broker from its connection."""
        if live.connection is None:
            return
        keys = self._by_connection[live.connection]
        keys.discard(live.key)
        if not keys:
            del self._by_connection[live.connection]
