"""
The broker: what it is made of, in the order in which it starts.

Ports are taken first, so that a taken one ends the program before anything is touched;
then the store is opened and recovered; then the tables are read, requests accepted, and
the name servers told. It stops in the opposite order: nobody is sent here any more, no
request comes, those held are answered, and what is known is written.

Source: ``BrokerController`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from rocketmq_tw.broker.background import InThread
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
from rocketmq_tw.store.config import RetentionConfig, StoreConfig
from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.memory import MemoryMessageStore
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.reads import MAX_RUNNING

#: What the fast port does not take: pulls (POP requests are not taken anywhere).
_NOT_ON_FAST_PORT = (11, 361)


class BrokerService(MultiService):
    """
    One broker.

    :param config: complete: with a name, addresses and a folder.
    :param name_servers: ``host:port`` or endpoint strings.
    :param in_thread: runs what blocks; None lets threads of the broker's own do it.
    :ivar started: fires when requests are accepted; fails if that cannot be.
    :ivar address: what clients are told.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: BrokerConfig,
        name_servers: Sequence[str],
        in_thread: InThread | None = None,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._config = config
        self._name_servers = list(name_servers)
        self._elsewhere = in_thread
        self._listener = Listener(reactor)
        self._fast_listener = Listener(reactor)
        self._is_starting = False
        self._until_started: list[Deferred[None]] = []
        self.started: Deferred[None] | None = None
        self.address = ""
        self._renew()

    def _renew(self) -> None:
        """Make what serves from one start to the next stop."""
        # For the commit log and the queues alone: whoever waits for the disk must not
        # wait for other files, for readers who catch up, nor for a search.
        self._threads = ThreadPool(0, 2, "flush")
        self._readers = ThreadPool(0, MAX_RUNNING + 2, "store")
        self._router = Router(CODES)
        self._tables = Tables(self._config, self._reactor, self._beside)
        self._factory = self._server(self._router)
        self._fast_factory = self._server(self._router)
        self._store: MessageStore | MemoryMessageStore | None = None
        self._ticks: list[LoopingCall] = []
        self._parts: Parts | None = None
        self._registration: Registration | None = None

    def startService(self) -> None:
        """Start; :attr:`started` tells how it went."""
        super().startService()
        self._is_starting = True
        self.started = Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """
        Stop in stages; nothing that was acknowledged is lost.

        :returns: fires when all is on disk; the service may then be started anew.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        """
        Open everything; give back what was opened if that fails.

        :raises RocketMQError: the reason, in a sentence.
        """
        try:
            await self._open()
        except Exception as error:
            if self._store is not None:
                await self._store.close()
            if isinstance(error, StoreNotWriteable) and not self.running:
                return  # it was stopped before it had started
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
        """Take the ports, open the store, accept requests, tell the name servers."""
        config = self._config
        await self._listener.take(_endpoint(config), self._factory)
        port = getattr(self._listener.address, "port", config.listen_port)
        self.address = f"{_bracketed(config.broker_ip1)}:{port}"
        if port > 2:
            fast = _endpoint(config, port - 2)
            await self._fast_listener.take(fast, self._fast_factory)
        self._threads.start()
        self._readers.start()
        self._store = store = self._make_store(port)
        await store.open()
        self._tables.load()
        self._make_parts(store, port)
        self._listener.accept()
        self._fast_listener.accept()
        self._log.info(
            "broker {name} listens on port {port} as {address};"
            " its messages are in {data}",
            name=config.broker_name,
            port=port,
            address=self.address,
            data="memory" if config.memory_store_size else config.store_path_root_dir,
        )

    def _make_store(self, port: int) -> MessageStore | MemoryMessageStore:
        """Make the store, as the settings say."""
        config = self._config
        store_config = StoreConfig(
            store_host=host_to_bytes(_ip(config.broker_ip1), port),
            commit_log_file_size=config.mapped_file_size_commit_log,
            consume_queue_file_size=config.mapped_file_size_consume_queue,
            max_message_size=config.max_message_size,
            **_flushing(config),
            retention=_retention(config),
            delay_levels_ms=parse_levels(config.message_delay_level),
            message_index_enable=config.message_index_enable,
            max_hash_slot_num=config.max_hash_slot_num,
            max_index_num=config.max_index_num,
        )
        if config.memory_store_size:
            return MemoryMessageStore(store_config, config.memory_store_size)
        return MessageStore(
            config.store_path_root_dir,
            self._reactor,
            store_config,
            self._in_thread,
            read_in_thread=self._beside,
        )

    def _make_parts(self, store: IMessageStore, port: int) -> None:
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
            announce=self._announce,
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
        self._every(10_000, tables.settle)
        self._every(SAMPLE_PERIOD * 1000, parts.stats.sample)
        self._registration = self._make_registration(port)
        self._registration.startService()

    def _announce(self) -> Deferred[None]:
        """Tell the name servers the topics; fires once they know."""
        if self._registration is None:
            return succeed(None)
        return self._registration.told()

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
        try:
            await self._stop_serving()
        finally:
            if self._store is not None:
                await self._store.close()
            if self._is_starting:
                started: Deferred[None] = Deferred()
                self._until_started.append(started)
                await started
            for pool in (self._threads, self._readers):
                if pool.started:
                    pool.stop()
            self._renew()
        self._log.info("broker {name} is stopped", name=self._config.broker_name)

    async def _stop_serving(self) -> None:
        """Let nobody in, answer those that wait, and write down what is known."""
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
            await self._parts.schedule.stop()
            await self._tables.save()

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

    def _in_thread(
        self, function: Callable[[], None], pool: ThreadPool | None = None
    ) -> Deferred[None]:
        """Run what blocks in one of the store's threads."""
        if self._elsewhere is not None:
            return self._elsewhere(function)
        return deferToThreadPool(self._reactor, pool or self._threads, function)

    def _beside(self, function: Callable[[], None]) -> Deferred[None]:
        """Run what blocks and what no send waits for."""
        return self._in_thread(function, self._readers)


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


def _retention(config: BrokerConfig) -> RetentionConfig:
    """Give the store's settings of what is kept, in seconds and percent."""
    hours = (piece.strip() for piece in config.delete_when.split(";"))
    return RetentionConfig(
        interval=config.clean_resource_interval / 1000,
        reserved_time=config.file_reserved_time * 3600.0,
        hours=tuple(int(hour) for hour in hours if hour),
        pause=config.delete_commit_log_files_interval / 1000,
        batch=config.delete_file_batch_max,
        clean_forcibly_enable=config.clean_file_forcibly_enable,
        max_used=config.disk_max_used_space_ratio,
        clean_forcibly=config.disk_space_clean_forcibly_ratio,
        warning=config.disk_space_warning_level_ratio,
    )


def _bracketed(host: str) -> str:
    """Write an IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def _ip(host: str) -> str:
    """Give the address that goes into records; a name is not looked up."""
    parts = host.split(".")
    numeric = len(parts) == 4 and all(part.isdigit() for part in parts)
    return host if numeric or ":" in host else "127.0.0.1"
