"""
The broker: what it is made of, in the order in which it starts.

Ports are taken first, so that a taken one ends the program before anything is touched; then
the store is opened and recovered; then the tables are read, requests accepted, and the name
servers told. It stops in the opposite order: nobody is sent here any more, no request
comes, those held are answered, and what is known is written.

Source: ``BrokerController`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from rocketmq_tw.broker.config import BrokerConfig, FlushDiskType
from rocketmq_tw.broker.errors import CODES
from rocketmq_tw.broker.held_pulls import HeldPulls
from rocketmq_tw.broker.processors.all import Parts, register
from rocketmq_tw.broker.registration import BrokerIdentity, Registration
from rocketmq_tw.broker.schedule import DelayLevels, ScheduleService, parse_levels
from rocketmq_tw.broker.stats import SAMPLE_PERIOD, BrokerStats
from rocketmq_tw.broker.tables import Tables
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.message_store import MessageStore

#: What the fast port does not take: pulls (POP requests are not taken anywhere).
_NOT_ON_FAST_PORT = (11, 361)


class BrokerService(MultiService):
    """
    One broker.

    :param config: complete: with a name, addresses and a folder.
    :param name_servers: ``host:port`` or endpoint strings.
    :ivar started: fires when requests are accepted; fails if that cannot be.
    :ivar address: what clients are told.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, config: BrokerConfig, name_servers: Sequence[str]
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._config = config
        self._name_servers = list(name_servers)
        self._listener = Listener(reactor)
        self._fast_listener = Listener(reactor)
        self._threads = ThreadPool(0, 2, "store")
        self._router = Router(CODES)
        self._tables = Tables(config, reactor, self._in_thread)
        self._factory = self._server(self._router)
        self._fast_factory = self._server(self._router)
        self._store: MessageStore | None = None
        self._ticks: list[LoopingCall] = []
        self._parts: Parts | None = None
        self._registration: Registration | None = None
        self.started: Deferred[None] | None = None
        self.address = ""

    def startService(self) -> None:
        """Start; :attr:`started` tells how it went."""
        super().startService()
        self.started = Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """Stop in stages; nothing that was acknowledged is lost."""
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        """Take the ports, open the store, accept requests, tell the name servers."""
        config = self._config
        await self._listener.take(_endpoint(config), self._factory)
        port = getattr(self._listener.address, "port", config.listen_port)
        self.address = f"{_bracketed(config.broker_ip1)}:{port}"
        if port > 2:
            fast = _endpoint(config, port - 2)
            await self._fast_listener.take(fast, self._fast_factory)
        self._threads.start()
        store = self._make_store(port)
        await store.open()
        self._store = store
        self._tables.load()
        self._make_parts(store, port)
        self._listener.accept()
        self._fast_listener.accept()
        self._log.info(
            "broker {name} listens on port {port} as {address}; its messages are in {data}",
            name=config.broker_name,
            port=port,
            address=self.address,
            data=config.store_path_root_dir,
        )

    def _make_store(self, port: int) -> MessageStore:
        """Make the store, as the settings say."""
        config = self._config
        return MessageStore(
            config.store_path_root_dir,
            self._reactor,
            StoreConfig(
                store_host=host_to_bytes(_ip(config.broker_ip1), port),
                commit_log_file_size=config.mapped_file_size_commit_log,
                consume_queue_file_size=config.mapped_file_size_consume_queue,
                max_message_size=config.max_message_size,
                **_flushing(config),
                delay_levels_ms=parse_levels(config.message_delay_level),
            ),
            self._in_thread,
        )

    def _make_parts(self, store: MessageStore, port: int) -> None:
        """Make what handles requests, and what runs by itself."""
        config, clock, tables = self._config, self._reactor, self._tables
        levels = DelayLevels(parse_levels(config.message_delay_level))
        parts = Parts(
            config=config,
            clock=clock,
            store=store,
            tables=tables,
            held=HeldPulls(store, clock),
            levels=levels,
            schedule=ScheduleService(
                levels, store, tables.file("delayOffset.json"), clock
            ),
            stats=BrokerStats(clock),
            store_host=host_to_bytes(_ip(config.broker_ip1), port),
            address=self.address,
        )
        self._parts = parts
        register(parts, self._router)
        parts.schedule.load()
        parts.schedule.start()
        parts.held.start()
        self._fast_factory.router = self._router.without(*_NOT_ON_FAST_PORT)
        self._every(config.flush_consumer_offset_interval, tables.offsets.save)
        self._every(config.flush_delay_offset_interval, parts.schedule.save)
        self._every(10_000, lambda: tables.clients.expire(clock.seconds()))
        self._every(60_000, tables.locks.expire)
        self._every(SAMPLE_PERIOD * 1000, parts.stats.sample)
        self._registration = self._make_registration(port)
        self._registration.startService()

    def _make_registration(self, port: int) -> Registration:
        """Make what tells the name servers where we are."""
        config = self._config
        ha_port = config.ha_listen_port or port + 1
        return Registration(
            self._reactor,
            self._name_servers,
            BrokerIdentity(
                config.broker_cluster_name,
                config.broker_name,
                config.broker_id,
                self.address,
                f"{_bracketed(config.broker_ip2)}:{ha_port}",
            ),
            self._tables.topics,
            permission=config.broker_permission,
            period=config.register_name_server_period / 1000,
            timeout=config.register_broker_timeout_mills / 1000,
        )

    async def _stop(self) -> None:
        """Stop in the opposite order of starting."""
        await maybeDeferred(super().stopService)
        if self._registration is not None:
            await self._registration.stopService()
        await self._listener.stopService()
        await self._fast_listener.stopService()
        if self._parts is not None:
            self._parts.held.stop()
        await self._factory.close_all()
        await self._fast_factory.close_all()
        for tick in self._ticks:
            if tick.running:
                tick.stop()
        if self._parts is not None:
            self._parts.schedule.stop()
            await self._tables.save()
        if self._store is not None:
            await self._store.close()
            self._log.info("broker {name} is stopped", name=self._config.broker_name)
        if self._threads.started:
            self._threads.stop()

    def _server(self, router: Router) -> RemotingServerFactory:
        """Make the factory of one port."""
        return RemotingServerFactory(
            router,
            self._reactor,
            self._connection_lost,
            idle_timeout=self._config.server_channel_max_idle_time_seconds,
        )

    def _connection_lost(self, connection: Any) -> None:
        """Let go of all that belonged to a client that is gone."""
        self._tables.clients.connection_lost(connection)
        if self._parts is not None:
            self._parts.held.connection_lost(connection)

    def _every(self, period_ms: float, function: Callable[[], object]) -> None:
        """Run a function again and again; a failure is logged and does not end it."""

        def tick() -> None:
            try:
                function()
            except Exception:
                self._log.failure("periodic work failed")

        call = LoopingCall(tick)
        call.clock = self._reactor
        call.start(period_ms / 1000, now=False)
        self._ticks.append(call)

    def _in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run what blocks in one of the store's threads."""
        return deferToThreadPool(self._reactor, self._threads, function)


def _endpoint(config: BrokerConfig, port: int | None = None) -> str:
    """Give the endpoint string to listen on; of the fast port if one is given."""
    if not config.listen:
        return f"tcp:{config.listen_port if port is None else port}"
    if port is None:
        return config.listen
    kind, _, rest = config.listen.partition(":")
    return ":".join([kind, str(port), *rest.split(":")[1:]])


def _flushing(config: BrokerConfig) -> dict[str, Any]:
    """Give the store's settings of flushing, in seconds."""
    return {
        "sync_flush": config.flush_disk_type is FlushDiskType.SYNC_FLUSH,
        "sync_flush_timeout": config.sync_flush_timeout / 1000,
        "flush_commit_log_interval": config.flush_interval_commit_log / 1000,
        "flush_commit_log_least_pages": config.flush_commit_log_least_pages,
        "flush_commit_log_thorough_interval": (
            config.flush_commit_log_thorough_interval / 1000
        ),
        "flush_consume_queue_interval": config.flush_interval_consume_queue / 1000,
        "flush_consume_queue_thorough_interval": (
            config.flush_consume_queue_thorough_interval / 1000
        ),
    }


def _bracketed(host: str) -> str:
    """Write an IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def _ip(host: str) -> str:
    """Give the address that goes into records; a name is not looked up."""
    parts = host.split(".")
    numeric = len(parts) == 4 and all(part.isdigit() for part in parts)
    return host if numeric or ":" in host else "127.0.0.1"


