"""
The broker: its parts, and the stages in which it starts and stops.

The store's lock comes first: if a second broker uses the same directory, this gives the
clearest error. Then the ports are opened, so that a port in use ends the program before
anything else is touched. Then the store is opened and recovered, the tables are read,
the features are installed and started, the broker registers, and connections are
accepted. It stops in the opposite order: it unregisters, accepts no more requests,
responds to held ones, and writes its files.

Source: ``BrokerController`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rocketmq_tw.broker.absent import ABSENT
from rocketmq_tw.broker.broker import Broker, Install
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.levels import DelayLevels, parse_levels
from rocketmq_tw.broker.errors import CODES
from rocketmq_tw.broker.features import FEATURES
from rocketmq_tw.broker.lifecycle import Lifecycle
from rocketmq_tw.broker.live_settings import live_settings
from rocketmq_tw.broker.member_group import MemberGroup
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.periodic import Periodic
from rocketmq_tw.broker.ports import Ports
from rocketmq_tw.broker.pull.filters import Filters
from rocketmq_tw.broker.registration import (
    Registration,
    broker_address,
    make_registration,
)
from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.statistics.service import Statistics
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.store import Store, make_store, store_host, store_lock
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.broker.threads import Threads
from rocketmq_tw.broker.timer.sends import TimedSends, timer_settings
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.pacing import Pacer
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.lock import StoreLock
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)

#: How many topics are named in a line of the log.
_NAMED = 10
#: Milliseconds between two attempts to write documents that could not be written.
_RETRY_PERIOD_MS = 10_000


class BrokerService(MultiService):
    """
    One broker.

    :param config: complete: with a name, addresses and a folder.
    :param name_servers: ``host:port`` or endpoint strings.
    :param run_in_thread: runs blocking calls; None uses the broker's own threads.
    :param features: the features to install, in order.
    :param disk: what the store's files are on, for tests; None is the real one.
    :param direct: the endpoints of name servers in this process, by address.
    :ivar started: fires when requests are accepted; fails if the start does.
    :ivar address: ``host:port`` under which clients know the broker.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: BrokerConfig,
        name_servers: Sequence[str],
        run_in_thread: RunInThread | None = None,
        *,
        features: Sequence[Install] = FEATURES,
        disk: Disk | None = None,
        direct: Mapping[str, IStreamClientEndpoint] | None = None,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._config = config
        self._name_servers = list(name_servers)
        self._run_in_thread = run_in_thread
        self._features = tuple(features)
        self._disk = disk
        self._direct = direct
        self._is_starting = False
        self._until_started: list[Deferred[None]] = []
        self.started: Deferred[None] | None = None
        self.address = ""
        self._make_parts()

    def _make_parts(self) -> None:
        """Make the objects that serve from one start to the next stop."""
        config, reactor = self._config, self._reactor
        self._lock: StoreLock | None = store_lock(config)
        self._threads = Threads(reactor, self._run_in_thread)
        self._periodic = Periodic(reactor)
        peers = PeerLog(reactor)
        self._lifecycle = Lifecycle(peers)
        self._pacer = Pacer(
            reactor, config.max_waiting_requests_size, "maxWaitingRequestsSize"
        )
        self._router = Router(CODES, peers, ABSENT)
        self._ports = Ports(
            reactor=reactor,
            config=config,
            router=self._router,
            on_lost=self._lifecycle.connection_lost,
            peers=peers,
        )
        self._replication = Replication(
            reactor, config, peers, self._ports.tls if config.tls.ha else None
        )
        self._tables = Tables(config, reactor, self._threads.run_in_thread)
        self._store: Store | None = None
        self._registration: Registration | None = None

    @property
    def factory(self) -> RemotingServerFactory:
        """What makes the connections of the main port."""
        return self._ports.factory

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._ports.is_open

    def startService(self) -> None:
        """Start; :attr:`started` fires, or fails, when that is complete."""
        super().startService()
        self._is_starting = True
        self.started = Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """
        Stop in stages; no acknowledged message is lost.

        :returns: fires when everything is on disk; the service may then start again.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        """
        Open everything; if that fails, close what was opened.

        :raises RocketMQError: the reason, in a sentence.
        """
        try:
            await self._open()
        except Exception as error:
            await self._ports.stop_listening()
            await self._replication.stop()
            if self._store is not None:
                await self._store.close()
            elif self._lock is not None:
                self._lock.release()
            if isinstance(error, StoreNotWriteable) and not self.running:
                return  # stopService was called before the start was complete
            if isinstance(error, OSError):
                path = str(error.filename or self._config.store_path_root_dir)
                raise StoreUnreadable(path, error.strerror or str(error)) from None
            raise
        finally:
            self._is_starting = False
            waiting, self._until_started = self._until_started, []
            for each in waiting:
                each.callback(None)

    async def _open(self) -> None:
        """Run the stages of the start."""
        config = self._config
        if self._lock is not None:
            self._lock.acquire()
        port = await self._ports.take()
        await self._replication.take(port)
        self.address = broker_address(config, port)
        self._threads.start()
        self._store = make_store(
            config,
            self._reactor,
            self._threads,
            port,
            lock=self._lock,
            disk=self._disk,
        )
        await self._store.open()
        self._load_tables(self._store)
        self._replication.install(self._store)
        broker = self._broker(self._store, port)
        for install in self._features:
            install(broker, self._router)
        await self._lifecycle.start()
        self._replication.start()
        self._ports.accept()
        online = Deferred.fromCoroutine(self._go_online(broker, port))
        online.addErrback(
            lambda f: self._log.failure("the broker is not registered", f)
        )
        self._log.info(
            "broker {name} listens on port {port} as {address};"
            " its messages are in {data}",
            name=config.broker_name,
            port=port,
            address=self.address,
            data="memory" if config.memory_store_size else config.store_path_root_dir,
        )

    async def _go_online(self, broker: Broker, port: int) -> None:
        """Register, once the other brokers of this name are ready for it."""
        await self._lifecycle.go_online()
        if not self.running:
            return
        self._registration = make_registration(
            self._config,
            port,
            ha_address=self._replication.ha_address,
            reactor=self._reactor,
            name_servers=self._name_servers,
            topics=self._tables.topics,
            master=broker.master if self._config.is_slave else None,
            direct=self._direct,
        )
        self._registration.startService()

    def _load_tables(self, store: Store) -> None:
        """Read the tables and make them consistent with the store."""
        tables = self._tables
        tables.load()
        self._lifecycle.on_stop.append(tables.save)
        self._periodic.every(_RETRY_PERIOD_MS, tables.drain)
        if self._config.is_slave:
            return  # Its log may be behind, and its topics are those of the master.
        tables.offsets.bound(store.max_offset)
        restored = tables.topics.restore(store.queues())
        if restored:
            self._log.warn(
                "{count} topics have messages but were not in topics.json; they were"
                " created again: {names}",
                count=len(restored),
                names=log_safe(", ".join(restored[:_NAMED])),
            )

    def _broker(self, store: Store, port: int) -> Broker:
        """Return the parts that features share."""
        stats = BrokerStats(self._reactor)
        statistics = self._statistics(store, stats)
        stats.gauges.update(self._ports.gauges())
        stats.gauges.update(self._pacer.gauges())
        stats.gauges.update(store.gauges())
        stats.gauges.update(self._replication.gauges())
        return Broker(
            config=self._config,
            clock=self._reactor,
            store=store,
            tables=self._tables,
            stats=stats,
            statistics=statistics,
            live=live_settings(
                self._config,
                store=store,
                tables=self._tables,
                statistics=statistics,
            ),
            periodic=self._periodic,
            pacer=self._pacer,
            lifecycle=self._lifecycle,
            address=self.address,
            store_host=store_host(self._config, port),
            replication=self._replication,
            new_topics=NewTopics(self._tables.topics, self._register_topics),
            delay_levels=DelayLevels(parse_levels(self._config.message_delay_level)),
            timed_sends=TimedSends(
                timer_settings(self._config), self._config.broker_name
            ),
            transaction_counts=TransactionCounts(self._config.max_topics),
            filters=Filters(
                self._config.max_subscription_length,
                allows_sql=self._config.enable_property_filter,
            ),
            master=Master(self.address),
            member_group=self._member_group(),
            name_servers=tuple(self._name_servers),
            ask_name_servers=self._ask_name_servers,
            run_in_thread=self._threads.run_in_thread,
        )

    def _statistics(self, store: Store, stats: BrokerStats) -> Statistics:
        tables = self._tables
        return Statistics(
            store=store,
            topics=tables.topics,
            groups=tables.groups,
            progress=tables.progress,
            clock=self._reactor,
            limit=self._config.max_statistics,
            puts=stats.watched,
        )

    def _member_group(self) -> MemberGroup:
        config = self._config
        return MemberGroup(
            reactor=self._reactor,
            cluster=config.broker_cluster_name,
            broker_name=config.broker_name,
            broker_id=config.broker_id,
            address=self.address,
            ask_name_servers=self._ask_name_servers,
            period=config.sync_broker_member_group_period / 1000,
        )

    def _ask_name_servers(self, request: Request[A]) -> Deferred[A]:
        """Send a request to a name server with which the broker is registered."""
        if self._registration is None:
            return fail(
                ConnectError("name servers", "the broker is not registered yet")
            )
        return self._registration.ask(request)

    def _register_topics(self) -> Deferred[None] | None:
        """Register what has changed; None if there is nothing to wait for."""
        if self._registration is None:
            return None
        return self._registration.register_and_wait()

    async def _stop(self) -> None:
        """Stop in the opposite order of the start."""
        await maybeDeferred(super().stopService)
        try:
            await self._let_clients_leave()
            await self._stop_serving()
        finally:
            if self._store is not None:
                await self._store.close()
            if self._is_starting:
                started: Deferred[None] = Deferred()
                self._until_started.append(started)
                await started
            self._threads.stop()
            self._make_parts()
        self._log.info("broker {name} is stopped", name=self._config.broker_name)

    async def _let_clients_leave(self) -> None:
        """Remove the permission to write, and serve until producers have noticed."""
        drain = self._config.drain_millis / 1000
        if not drain or self._config.is_slave or self._registration is None:
            return
        await self._registration.wipe_writes()
        self._log.info(
            "producers leave broker {name}; it stops in {seconds:g} s",
            name=self._config.broker_name,
            seconds=drain,
        )
        await deferLater(self._reactor, drain)

    async def _stop_serving(self) -> None:
        """Accept no connections, respond to held requests, and write the files."""
        if self._registration is not None:
            await self._registration.stopService()
        await self._ports.stop_listening()
        await self._lifecycle.drain()
        await self._ports.close()
        await self._replication.stop()
        self._periodic.stop()
        self._pacer.stop()
        await self._lifecycle.stop()
