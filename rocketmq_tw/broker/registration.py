"""
Registers the broker with every name server.

One connection to each name server stays open, because its loss removes the broker from
the routes. Over a new connection the whole table of topics is registered, then what
changes, at the end of the reactor iteration; requests that create topics are answered
once the name servers know them. Every 30 s the broker renews its entry.

See :mod:`rocketmq_tw.broker.name_server_link` for when, and
:mod:`rocketmq_tw.broker.unregistered` for what is registered.

Source: ``BrokerController.registerBrokerAll`` and ``BrokerOuterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.name_server_link import NameServerLink
from rocketmq_tw.broker.other_brokers import outgoing_of
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.broker.unregistered import PIECE, Piece, Unregistered
from rocketmq_tw.remoting.addresses import host_port
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.wire.bodies.registration import crc
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.registration import (
    QueryDataVersion,
    RegisterBroker,
    UnregisterBroker,
    WipeWritePermission,
)

A = TypeVar("A", bound=Response)

#: Seconds to wait at most for name servers to register a new topic.
REGISTER_TIMEOUT = 3.0
#: Seconds between two registrations of a slave that does not know its master.
SEARCH_PERIOD = 3.0
#: Seconds that name servers may take to remove the permission to write.
WIPE_TIMEOUT = 1.0
#: Milliseconds without registration after which a name server removes the broker.
HEARTBEAT_TIMEOUT_MS = 120_000


class BrokerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """
    The names and addresses under which a broker registers.

    :ivar address: ``host:port`` under which clients know the broker.
    :ivar ha_address: ``host:port`` that replicas copy from.
    :ivar acting_master: whether slaves of this name act for a master that is gone.
    :ivar heartbeat_timeout_ms: milliseconds without registration or heartbeat after
        which a name server removes the broker.
    """

    cluster: str
    broker_name: str
    broker_id: int
    address: str
    ha_address: str
    acting_master: bool = False
    heartbeat_timeout_ms: int = HEARTBEAT_TIMEOUT_MS


class Registration(Service):
    """
    Registers a broker with all its name servers.

    :param reactor: makes connections, and is the clock.
    :param name_servers: ``host:port`` of each; the broker registers with all.
    :param topics: the topics to register.
    :param period: seconds between registrations.
    :param timeout: seconds that a name server may take to respond.
    :param pool: makes the connections; for tests, and for TLS.
    :param size: see :data:`~rocketmq_tw.broker.unregistered.PIECE`.
    :param master: what a slave is to learn from the responses; None for a master.
    :param heartbeat_period: seconds between heartbeats; None sends none.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        name_servers: Sequence[str],
        identity: BrokerIdentity,
        topics: TopicTable,
        period: float = 30.0,
        timeout: float = 24.0,
        pool: ConnectionPool | None = None,
        size: int = PIECE,
        master: Master | None = None,
        heartbeat_period: float | None = None,
    ) -> None:
        self._reactor = reactor
        self._identity = identity
        self._topics = topics
        self._period = period
        self._pool = pool or ConnectionPool(reactor)
        self._links = [
            NameServerLink(
                reactor=reactor,
                pool=self._pool,
                address=address,
                unregistered=Unregistered(topics, size),
                make_request=self._request,
                make_query=self._query,
                timeout=timeout,
                on_response=None if master is None else master.registered,
            )
            for address in dict.fromkeys(name_servers)
        ]
        self._ticker = LoopingCall(self.refresh)
        self._ticker.clock = reactor
        self._master = master
        self._search = LoopingCall(self._look_for_master)
        self._search.clock = reactor
        self._heartbeat_period = heartbeat_period
        self._heartbeats = LoopingCall(self._send_heartbeats)
        self._heartbeats.clock = reactor
        # Registers what has changed at the end of this reactor iteration.
        self._flush: IDelayedCall | None = None
        # They wait for changes of this iteration.
        self._waiting = Waiters()
        # Whether the permission to write was removed, as a stop follows.
        self._is_leaving = False

    def startService(self) -> None:
        """Connect to all name servers; each connection registers the broker."""
        super().startService()
        self._topics.on_change.append(self._topics_changed)
        self._topics.on_permission.append(self._permission_changed)
        for link in self._links:
            link.start()
        self._ticker.start(self._period, now=False)
        if self._master is not None:
            self._search.start(SEARCH_PERIOD, now=False)
        if self._heartbeat_period is not None:
            self._heartbeats.start(self._heartbeat_period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Unregister the broker, for at most 1 s, and disconnect."""
        super().stopService()
        if self._topics_changed in self._topics.on_change:
            self._topics.on_change.remove(self._topics_changed)
            self._topics.on_permission.remove(self._permission_changed)
        if self._flush is not None and self._flush.active():
            self._flush.cancel()
        self._waiting.fire()
        for timer in (self._ticker, self._search, self._heartbeats):
            if timer.running:
                timer.stop()
        gone = DeferredList([link.stop(self._unregistration()) for link in self._links])
        return gone.addCallback(lambda _: self._pool.close_all())

    def ask(self, request: Request[A]) -> Deferred[A]:
        """
        Send a request to a name server to which the broker is connected.

        :returns: fails with :class:`ConnectError` if there is none.
        """
        for link in self._links:
            if link.connection is not None:
                return link.connection.call(request)
        return fail(ConnectError("name servers", "none is connected"))

    def wipe_writes(self) -> Deferred[Any]:
        """
        Remove the permission to write at all name servers, before a planned stop.

        Topics are not registered any more, which would restore it. Fires when the name
        servers have responded, or after a second.
        """
        self._is_leaving = True
        request = WipeWritePermission(self._identity.broker_name)
        wiped = [
            link.connection.call(request, WIPE_TIMEOUT)
            for link in self._links
            if link.connection is not None
        ]
        return DeferredList(wiped, consumeErrors=True)

    def _send_heartbeats(self) -> None:
        """Renew the broker's entry without registering topics."""
        for link in self._links:
            if link.connection is not None:
                link.connection.call_one_way(self._query())

    def _look_for_master(self) -> None:
        """Register again while no name server knows the master of this slave."""
        if self._master is not None and not self._master.address:
            self.refresh()

    def refresh(self) -> None:
        """Renew the broker's entry at every name server; a failure is logged."""
        if self._is_leaving:
            self._send_heartbeats()
        else:
            self._for_each_link(NameServerLink.refresh)

    def register(self) -> None:
        """Register what has changed; a failure is logged."""
        if not self._is_leaving:
            self._for_each_link(NameServerLink.register)

    def _for_each_link(self, action: Callable[[NameServerLink], None]) -> None:
        """Do something with each link, also after a failure, which is logged."""
        for link in self._links:
            try:
                action(link)
            except Exception:
                # An exception would end the timer.
                self._log.failure("registering with {ns} failed", ns=link.address)

    def register_and_wait(self) -> Deferred[None] | None:
        """
        Register what has changed, and wait for the responses.

        :returns: fires when every connected name server has responded, with success or
            not, or after 3 s; None if nothing is to be waited for.
        """
        if not any(link.lacks_changes for link in self._links):
            return None
        # What changed in an earlier iteration may wait for a response still; then
        # nothing else would see to those who come now.
        self._schedule_flush()
        return self._waiting.add()

    @property
    def registered(self) -> list[str]:
        """The addresses of the name servers with which the broker is registered now."""
        return [link.address for link in self._links if link.registered]

    def _topics_changed(self, name: str) -> None:
        """Register at the end of this reactor iteration."""
        for link in self._links:
            link.change(name)
        self._schedule_flush()

    def _permission_changed(self) -> None:
        """Register all topics, beginning at the end of this reactor iteration."""
        for link in self._links:
            link.change_all()
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        """Register what has changed, once, at the end of the reactor iteration."""
        if self._flush is None or not self._flush.active():
            self._flush = self._reactor.callLater(0, self._register_changed)

    def _register_changed(self) -> None:
        """Register the changed topics; those that wait share the time limit."""
        if not self._waiting:
            self.register()
            return
        waiting, self._waiting = self._waiting, Waiters()
        done = DeferredList(
            [link.register_and_wait() for link in self._links], consumeErrors=True
        )
        done.addTimeout(REGISTER_TIMEOUT, self._reactor)
        done.addBoth(lambda _: waiting.fire())

    def _request(self, piece: Piece) -> RegisterBroker:
        """Return the request that registers some topics."""
        identity = self._identity
        return RegisterBroker(
            broker_name=identity.broker_name,
            broker_addr=identity.address,
            cluster_name=identity.cluster,
            ha_server_addr=identity.ha_address,
            broker_id=identity.broker_id,
            heartbeat_timeout_millis=identity.heartbeat_timeout_ms,
            enable_acting_master=identity.acting_master,
            compressed=False,
            body_crc32=crc(piece.body),
            part=piece.part,
            body=piece.body,
        )

    def _query(self) -> QueryDataVersion:
        """Return the request that asks whether the version of the table is known."""
        identity = self._identity
        return QueryDataVersion(
            broker_name=identity.broker_name,
            broker_addr=identity.address,
            cluster_name=identity.cluster,
            broker_id=identity.broker_id,
            body=self._topics.data_version.encode(),
        )

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


def broker_identity(
    config: BrokerConfig, address: str, ha_address: str
) -> BrokerIdentity:
    """Return the names and addresses under which a broker registers."""
    acts = config.enable_slave_acting_master
    timeout_ms = config.broker_not_active_timeout_millis
    return BrokerIdentity(
        cluster=config.broker_cluster_name,
        broker_name=config.broker_name,
        broker_id=config.broker_id,
        address=address,
        ha_address=ha_address,
        acting_master=acts,
        heartbeat_timeout_ms=timeout_ms if acts else HEARTBEAT_TIMEOUT_MS,
    )


def make_registration(
    config: BrokerConfig,
    port: int,
    *,
    ha_address: str,
    reactor: Any,
    name_servers: Sequence[str],
    topics: TopicTable,
    master: Master | None = None,
    direct: Mapping[str, IStreamClientEndpoint] | None = None,
) -> Registration:
    """
    Return the service that registers a broker with its name servers.

    :param port: the broker's port.
    :param ha_address: ``host:port`` that slaves connect to.
    :param master: what a slave is to learn from the responses.
    :param direct: the endpoints of name servers in this process, by address.
    """
    acts = config.enable_slave_acting_master
    outgoing = outgoing_of(config)
    return Registration(
        reactor=reactor,
        name_servers=name_servers,
        identity=broker_identity(config, broker_address(config, port), ha_address),
        topics=topics,
        period=config.register_name_server_period / 1000,
        timeout=config.register_broker_timeout_mills / 1000,
        pool=ConnectionPool(
            reactor,
            tls=outgoing.tls,
            sign=outgoing.sign,
            direct=direct,
            configured=name_servers,
        ),
        master=master,
        heartbeat_period=config.broker_heartbeat_interval / 1000 if acts else None,
    )
