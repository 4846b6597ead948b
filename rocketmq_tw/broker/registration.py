"""
Registers the broker with every name server.

One connection to each name server stays open, because its loss removes the broker from
the routes. A registration always contains the whole table of topics: Apache's 5.x name
servers refuse a first registration with only one topic.

The broker registers every 30 s, after topics have changed, and after each connect: see
:mod:`rocketmq_tw.broker.name_server_link`.

Source: ``BrokerController.registerBrokerAll`` and ``BrokerOuterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.name_server_link import NameServerLink
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE, TopicConfig
from rocketmq_tw.remoting.addresses import host_port
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody, crc
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.codes import VERSION
from rocketmq_tw.wire.frame import FRAME_LIMIT
from rocketmq_tw.wire.requests.registration import RegisterBroker, UnregisterBroker

#: The least number of seconds between two registrations of changed topics.
CHANGE_GAP = 0.2
#: Seconds to wait at most for name servers to register a new topic.
REGISTER_TIMEOUT = 3.0
#: Milliseconds without registration after which a name server removes the broker.
HEARTBEAT_TIMEOUT_MS = 120_000
#: Bytes of JSON from which a registration is compressed: half a frame, some 50,000
#: topics. Smaller ones are not, as name servers of release 4.9 cannot read the
#: compressed form of a 5.x broker, and it lacks the flags of topics.
COMPRESS_FROM = FRAME_LIMIT // 2


class BrokerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """
    The names and addresses under which a broker registers.

    :ivar address: ``host:port`` under which clients know the broker.
    :ivar ha_address: ``host:port`` that replicas copy from.
    """

    cluster: str
    broker_name: str
    broker_id: int
    address: str
    ha_address: str


class Registration(Service):
    """
    Registers a broker with all its name servers.

    :param reactor: makes connections, and is the clock.
    :param name_servers: ``host:port`` of each; the broker registers with all.
    :param topics: the topics to register.
    :param permission: the broker's permission; a right that it lacks is taken from all
        topics in the registration.
    :param period: seconds between registrations.
    :param timeout: seconds that a name server may take to respond.
    :param pool: makes the connections; for tests, and for TLS.
    :param compress_from: bytes of JSON from which a registration is compressed.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        name_servers: Sequence[str],
        identity: BrokerIdentity,
        topics: TopicTable,
        permission: int = PERM_READ | PERM_WRITE,
        period: float = 30.0,
        timeout: float = 24.0,
        pool: ConnectionPool | None = None,
        compress_from: int = COMPRESS_FROM,
    ) -> None:
        self._reactor = reactor
        self._compress_from = compress_from
        self._identity = identity
        self._topics = topics
        self._permission = permission
        self._period = period
        self._pool = pool or ConnectionPool(reactor)
        self._links = [
            NameServerLink(
                reactor=reactor,
                pool=self._pool,
                address=address,
                make_request=self._request,
                timeout=timeout,
            )
            for address in dict.fromkeys(name_servers)
        ]
        self._ticker = LoopingCall(self.register)
        self._ticker.clock = reactor
        self._changed: IDelayedCall | None = None
        self._last_change = float("-inf")
        self._written: tuple[object, bytes, int] | None = None

    def startService(self) -> None:
        """Connect to all name servers; each connection registers the broker."""
        super().startService()
        self._topics.on_change.append(self._topics_changed)
        for link in self._links:
            link.start()
        self._ticker.start(self._period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Unregister the broker, for at most 1 s, and disconnect."""
        super().stopService()
        if self._topics_changed in self._topics.on_change:
            self._topics.on_change.remove(self._topics_changed)
        if self._changed is not None and self._changed.active():
            self._changed.cancel()
        if self._ticker.running:
            self._ticker.stop()
        gone = DeferredList([link.stop(self._unregistration()) for link in self._links])
        return gone.addCallback(lambda _: self._pool.close_all())

    def register(self) -> None:
        """Register with every connected name server; a failure is logged."""
        for link in self._links:
            try:
                link.register()
            except Exception:
                # An exception would end the timer.
                self._log.failure("registering with {ns} failed", ns=link.address)

    def register_and_wait(self) -> Deferred[None]:
        """
        Register now and wait for the responses.

        :returns: fires when every connected name server has responded, with success or
            not, or after 3 s. Apache RocketMQ waits too before it confirms that a topic
            is created, because tools request the route right then.
        """
        if self._changed is not None and self._changed.active():
            self._changed.cancel()
        self._last_change = self._reactor.seconds()
        done = DeferredList(
            [link.register_and_wait() for link in self._links], consumeErrors=True
        )
        done.addTimeout(REGISTER_TIMEOUT, self._reactor, lambda *_: None)
        return done.addCallback(lambda _: None)

    @property
    def registered(self) -> list[str]:
        """The addresses of the name servers with which the broker is registered now."""
        return [link.address for link in self._links if link.registered]

    def _topics_changed(self, _config: TopicConfig | None) -> None:
        """Register at the end of this reactor iteration, at most once every 0.2 s."""
        if self._changed is not None and self._changed.active():
            return
        due = self._last_change + CHANGE_GAP - self._reactor.seconds()
        self._changed = self._reactor.callLater(max(0.0, due), self._register_changed)

    def _register_changed(self) -> None:
        """Register the changed topics."""
        self._last_change = self._reactor.seconds()
        self.register()

    def _request(self) -> RegisterBroker:
        """
        Return the request; the body is encoded once for each version of the table.
        """
        version = self._topics.data_version
        if self._written is None or self._written[0] != version:
            table = TopicConfigAndMappingTable(
                self._visible(), version, mapping_data_version=version
            )
            body = self._encode(RegisterBrokerBody(table))
            self._written = (version, body, crc(body))
        _, body, checksum = self._written
        identity = self._identity
        return RegisterBroker(
            broker_name=identity.broker_name,
            broker_addr=identity.address,
            cluster_name=identity.cluster,
            ha_server_addr=identity.ha_address,
            broker_id=identity.broker_id,
            heartbeat_timeout_millis=HEARTBEAT_TIMEOUT_MS,
            compressed=body[:1] != b"{",
            body_crc32=checksum,
            body=body,
        )

    def _encode(self, body: RegisterBrokerBody) -> bytes:
        """Encode what is registered; compress it if a frame might not hold it."""
        data = body.encode()
        if len(data) < self._compress_from:
            return data
        return body.encode_compressed(VERSION, level=1)

    def _visible(self) -> dict[str, TopicConfig]:
        """Return the topics with the broker's permission applied."""
        if self._permission & PERM_READ and self._permission & PERM_WRITE:
            return self._topics.table
        return {
            name: msgspec.structs.replace(config, perm=config.perm & self._permission)
            for name, config in self._topics.table.items()
        }

    def _unregistration(self) -> UnregisterBroker:
        """Return the request that unregisters the broker."""
        identity = self._identity
        return UnregisterBroker(
            identity.broker_name,
            identity.address,
            identity.cluster,
            identity.broker_id,
        )


def broker_address(config: BrokerConfig, port: int) -> str:
    """Return ``host:port`` under which clients know a broker."""
    return host_port(config.broker_ip1, port)


def make_registration(
    config: BrokerConfig,
    port: int,
    *,
    reactor: Any,
    name_servers: Sequence[str],
    topics: TopicTable,
) -> Registration:
    """
    Return the service that registers a broker with its name servers.

    :param port: the broker's port; replicas connect to the next higher one, unless
        the settings specify another.
    """
    ha_port = config.ha_listen_port or port + 1
    return Registration(
        reactor=reactor,
        name_servers=name_servers,
        identity=BrokerIdentity(
            cluster=config.broker_cluster_name,
            broker_name=config.broker_name,
            broker_id=config.broker_id,
            address=broker_address(config, port),
            ha_address=host_port(config.broker_ip2, ha_port),
        ),
        topics=topics,
        permission=config.broker_permission,
        period=config.register_name_server_period / 1000,
        timeout=config.register_broker_timeout_mills / 1000,
    )
