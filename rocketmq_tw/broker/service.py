"""
The broker: what it is made of, in the order in which it starts.

Ports are taken first, so that a taken one ends the program before anything is touched;
then the store is opened and recovered; then the tables are read, requests accepted, and
the name servers told. It stops in the opposite order: nobody is sent here any more, no
request comes, those held are answered, and what is known is written.

Source: ``BrokerController`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import Logger

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.schedule import DelayLevels, ScheduleService, parse_levels
from rocketmq_tw.broker.errors import CODES
from rocketmq_tw.broker.periodic import Periodic
from rocketmq_tw.broker.ports import Ports
from rocketmq_tw.broker.processors.all import Parts, register
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.registration import BrokerIdentity, Registration
from rocketmq_tw.broker.stats import SAMPLE_PERIOD, BrokerStats
from rocketmq_tw.broker.store import Store, make_store, store_host
from rocketmq_tw.broker.tables.background import RunInThread
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.broker.threads import Threads
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable


class BrokerService(MultiService):
    """
    One broker.

    :param config: complete: with a name, addresses and a folder.
    :param name_servers: ``host:port`` or endpoint strings.
    :param run_in_thread: runs what blocks; None lets threads of the broker's own do it.
    :ivar started: fires when requests are accepted; fails if that cannot be.
    :ivar address: what clients are told.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: BrokerConfig,
        name_servers: Sequence[str],
        run_in_thread: RunInThread | None = None,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._config = config
        self._name_servers = list(name_servers)
        self._elsewhere = run_in_thread
        self._is_starting = False
        self._until_started: list[Deferred[None]] = []
        self.started: Deferred[None] | None = None
        self.address = ""
        self._renew()

    def _renew(self) -> None:
        """Make what serves from one start to the next stop."""
        config, reactor = self._config, self._reactor
        self._threads = Threads(reactor, self._elsewhere)
        self._periodic = Periodic(reactor)
        self._router = Router(CODES)
        self._ports = Ports(reactor, config, self._router, self._connection_lost)
        self._tables = Tables(config, reactor, self._threads.beside)
        self._store: Store | None = None
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
        port = await self._ports.take()
        self.address = f"{_bracketed(config.broker_ip1)}:{port}"
        self._threads.start()
        store = make_store(config, self._reactor, self._threads, port)
        self._store = store
        await store.open()
        self._tables.load()
        self._tables.offsets.bound(store.max_offset)
        for topic in self._tables.topics.restore(store.queues()):
            self._log.warn("{topic} has messages; it is a topic again", topic=topic)
        self._parts = parts = self._make_parts(store, port)
        register(parts, self._router)
        parts.schedule.load()
        parts.schedule.start()
        parts.held.start()
        self._begin_periodic(parts)
        self._registration = self._make_registration(port)
        self._registration.startService()
        self._ports.accept()
        self._log.info(
            "broker {name} listens on port {port} as {address};"
            " its messages are in {data}",
            name=config.broker_name,
            port=port,
            address=self.address,
            data="memory" if config.memory_store_size else config.store_path_root_dir,
        )

    def _make_parts(self, store: Store, port: int) -> Parts:
        """Make what handles requests."""
        config, clock = self._config, self._reactor
        levels = DelayLevels(parse_levels(config.message_delay_level))
        delays = self._tables.file("delayOffset.json")
        return Parts(
            config=config,
            clock=clock,
            store=store,
            tables=self._tables,
            held=HeldPulls(store, clock),
            levels=levels,
            schedule=ScheduleService(levels, store, delays, clock),
            stats=BrokerStats(clock),
            store_host=store_host(config, port),
            address=self.address,
            announce=self._announce,
        )

    def _begin_periodic(self, parts: Parts) -> None:
        """Begin what runs by itself."""
        config, tables, every = self._config, self._tables, self._periodic.every
        clients, clock = tables.clients, self._reactor
        every(config.flush_consumer_offset_interval, tables.offsets.save)
        every(config.flush_delay_offset_interval, parts.schedule.save)
        every(10_000, lambda: clients.expire(clock.seconds()))
        every(60_000, tables.locks.expire)
        every(10_000, tables.settle)
        every(SAMPLE_PERIOD * 1000, parts.stats.sample)

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
            self._threads.stop()
            self._renew()
        self._log.info("broker {name} is stopped", name=self._config.broker_name)

    async def _stop_serving(self) -> None:
        """Let nobody in, answer those that wait, and write down what is known."""
        if self._registration is not None:
            await self._registration.stopService()
        await self._ports.stop_listening()
        if self._parts is not None:
            self._parts.held.stop()
        await self._ports.close()
        self._periodic.stop()
        if self._parts is not None:
            await self._parts.schedule.stop()
            await self._tables.save()

    def _connection_lost(self, connection: Any) -> None:
        """Let go of all that belonged to a client that is gone."""
        self._tables.clients.connection_lost(connection)
        if self._parts is not None:
            self._parts.held.connection_lost(connection)


def _bracketed(host: str) -> str:
    """Write an IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host
