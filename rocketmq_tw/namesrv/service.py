"""The parts of a name server, and the order in which it starts and stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.errors import RegistrationRefused, TableFull
from rocketmq_tw.namesrv.kvconfig import ORDER_TOPIC_CONFIG, KVConfig
from rocketmq_tw.namesrv.lists import Lists
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.lookups import Lookups
from rocketmq_tw.namesrv.min_broker import MinBrokerNotices
from rocketmq_tw.namesrv.registrations import Registrations
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.namesrv.settings import Settings
from rocketmq_tw.namesrv.views import RouteTexts
from rocketmq_tw.remoting.addresses import is_loopback_endpoint
from rocketmq_tw.remoting.admission import Admission
from rocketmq_tw.remoting.buffers import BufferBudget, gauges_of
from rocketmq_tw.remoting.errors import TooManyWaiting
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.reactor_share import ReactorShare
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.remoting.tls import server_side, tls_gauges
from rocketmq_tw.settings import BadSetting
from rocketmq_tw.wire.codes import ResponseCode

if TYPE_CHECKING:
    from rocketmq_tw.namesrv.guard import NamesrvGuard


class NamesrvService(MultiService):
    """
    A name server.

    :param config: its settings.
    :param reactor: clock, threads and sockets.
    :ivar started: fires when it listens; fails if it cannot.
    :ivar listener: its port.
    :ivar table: the registered brokers and topics.
    :ivar router: its handlers; add nothing to it once it is started.
    :ivar gauges: sizes of tables, and what was refused because of their limits.
    """

    _log = Logger()

    def __init__(self, config: NamesrvConfig, reactor: Any) -> None:
        super().__init__()
        self._config = config
        self._reactor = reactor
        self.started: Deferred[None] = Deferred()
        self._peers = PeerLog(reactor)
        self._pacer = Pacer(reactor)
        #: Lists must not keep registrations waiting.
        self._list_pacer = Pacer(reactor)
        self._kvconfig = self._make_kvconfig()
        self._notices = self._make_notices()
        self.table = self._make_table()
        # Created before the lookups that it calls, because the table reports changes to
        # it.
        self._texts = RouteTexts(lambda topic: self._lookups.find(topic))
        self._lookups = Lookups(
            config=config,
            table=self.table,
            kvconfig=self._kvconfig,
            texts=self._texts,
            lists=Lists(self.table, self._list_pacer),
            started_at=reactor.seconds(),
        )
        self._registrations = Registrations(
            config=config,
            table=self.table,
            kvconfig=self._kvconfig,
            pacer=self._pacer,
            peers=self._peers,
        )
        self._budget = BufferBudget(config.max_buffered_size)
        self._tls = server_side(
            config.tls.server,
            reactor=reactor,
            peers=self._peers,
            max_handshakes=config.max_tls_handshakes,
            max_handshakes_per_address=config.max_tls_handshakes_per_address,
            handshake_timeout=config.tls_handshake_timeout_millis / 1000,
            budget=self._budget,
        )
        self._guard = self._make_guard()
        self.factory = self._make_factory()
        self.listener = Listener(reactor, self._tls, self._peers)
        self.listener.setServiceParent(self)
        self._expiry = LoopingCall(self._expire)
        self._expiry.clock = reactor

    @property
    def config(self) -> NamesrvConfig:
        """Its settings."""
        return self._config

    @property
    def seconds(self) -> Callable[[], float]:
        """The clock of its connections."""
        seconds: Callable[[], float] = self._reactor.seconds
        return seconds

    @property
    def is_open(self) -> bool:
        """Whether it accepts connections."""
        return self.listener.address is not None

    def _make_table(self) -> RouteTable:
        """Return the table of brokers and topics, within the configured limits."""
        config = self._config
        return RouteTable(
            self._route_changed,
            self._run_later,
            max_topics=config.max_topics,
            max_brokers=config.max_brokers,
            max_mappings_size=config.max_mappings_size,
            on_addresses=self._notices.addresses_changed,
        )

    def _make_factory(self) -> RemotingServerFactory:
        """Return what makes connections, within the configured limits."""
        config = self._config
        admission = Admission(
            config.max_connections, config.max_connections_per_address
        )
        gauges = {**gauges_of(admission, self._budget), **tls_gauges(self._tls)}
        if self._guard is not None:
            gauges |= self._guard.gauges()
        self.gauges = {**gauges, **self._gauges()}
        self.router = self._make_router(self.gauges)
        return RemotingServerFactory(
            self.router,
            self._reactor,
            on_lost=self._registrations.removals.connection_lost,
            peers=self._peers,
            admission=admission,
            budget=self._budget,
            share=ReactorShare(self._reactor),
        )

    def _make_guard(self) -> NamesrvGuard | None:
        """Return what checks signatures; None without access control."""
        access = self._config.access
        if access.acl_file is None:
            return None
        from rocketmq_tw.access.plain_files import PlainFiles
        from rocketmq_tw.namesrv.guard import MAX_ACCOUNTS, NOT_OF_CLIENTS, NamesrvGuard

        if not self._config.tls.server.is_on:
            self._log.warn(
                "access control is on, but TLS is off: who can read what passes on the"
                " network can repeat requests"
            )
        return NamesrvGuard(
            PlainFiles(access.acl_file, MAX_ACCOUNTS),
            only=None if access.checks_clients else NOT_OF_CLIENTS,
            clock=self._reactor,
            peers=self._peers,
            run_in_thread=self._run_in_thread,
        )

    def _make_kvconfig(self) -> KVConfig:
        """Return the table of keys and values, which is not read yet."""
        return KVConfig(
            file=JsonFile(self._config.kv_config_path),
            run_in_thread=self._run_in_thread,
            on_change=self._key_changed,
            max_size=self._config.max_kv_config_size,
        )

    def _make_notices(self) -> MinBrokerNotices:
        """Return what notifies brokers of the lowest id of their name."""
        return MinBrokerNotices(
            reactor=self._reactor,
            config=self._config,
            ha_address=self._ha_address,
            peers=self._peers,
        )

    def _gauges(self) -> dict[str, Callable[[], int]]:
        """Return the sizes of the tables, and how often a limit was in the way."""
        return {
            "brokers": lambda: len(self.table.live),
            "topics": lambda: self.table.size,
            "mappingsSize": lambda: self.table.mappings_size,
            "tablesRefused": lambda: self.table.refused,
            "registrationsWaiting": lambda: self._pacer.size,
            "listsWaiting": lambda: self._list_pacer.size,
            "kvConfigSize": lambda: self._kvconfig.size,
            "kvConfigRefused": lambda: self._kvconfig.refused,
            "registrationsRefused": lambda: self._registrations.refused,
        }

    def _make_router(self, gauges: dict[str, Callable[[], int]]) -> Router:
        """Return a router with the handlers of all parts."""
        router = Router(
            {
                RegistrationRefused: ResponseCode.SYSTEM_ERROR,
                TableFull: ResponseCode.SYSTEM_ERROR,
                TooManyWaiting: ResponseCode.SYSTEM_BUSY,
                BadSetting: ResponseCode.SYSTEM_ERROR,
            },
            self._peers,
        )
        settings = Settings(
            config=self._config,
            kvconfig=self._kvconfig,
            on_change=lambda: self._texts.forget(None),
            peers=self._peers,
            gauges=gauges,
        )
        self._lookups.install(router)
        self._registrations.install(router)
        settings.install(router)
        is_open = not is_loopback_endpoint(self._config.listen)
        is_guarded = self._guard is not None or self._config.remote_administration
        if is_open and not is_guarded:
            from rocketmq_tw.remoting.local_administration import refuse_remote

            refuse_remote(router, "remoteAdministration=true in namesrv.conf")
        return router

    def startService(self) -> None:
        """Load the keys and values, then listen."""
        super().startService()
        try:
            self._kvconfig.load()
            if self._kvconfig.is_too_large:
                self._log.warn(
                    "the keys and values in {path} have {size} characters, more than"
                    " maxKvConfigSize: brokers get no order configuration until some"
                    " are deleted",
                    path=self._config.kv_config_path,
                    size=self._kvconfig.size,
                )
            endpoint = self._config.endpoint
            if self._guard is not None:
                self._guard.start(self.router)
            if self._tls is not None:
                self._tls.start()
        except (RocketMQError, ValueError):
            self.started = fail(Failure())
            return
        interval = self._config.scan_not_active_broker_interval / 1000
        self._expiry.start(interval, now=False)
        self.started = self.listener.start(endpoint, self.factory)
        self.started.addCallback(self._log_address)

    async def _stop(self) -> None:
        """Close the port, then the connections."""
        await self.listener.stopService()
        if self._tls is not None:
            self._tls.stop()
        await self.factory.close_all()
        await self._notices.stop()
        await super().stopService()

    def stopService(self) -> Deferred[None]:
        """Close the port, then the connections; fires when all are closed."""
        if self._expiry.running:
            self._expiry.stop()
        if self._guard is not None:
            self._guard.stop()
        return Deferred.fromCoroutine(self._stop())

    def _log_address(self, _: None) -> None:
        """Log the address and the file."""
        where: Any = self.listener.address
        host, port = getattr(where, "host", None), getattr(where, "port", None)
        words = where if host is None else f"port {port}" + _interface(host)
        self._log.info("the name server listens on {where}", where=words)
        path = self._config.kv_config_path
        self._log.info("its keys and values are kept in {path}", path=path)

    def _run_in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run a blocking function in the reactor's thread pool."""
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, function)

    def _run_later(self, broker_name: str, steps: Steps[None]) -> None:
        """Do work that nobody waits for; a failure is logged."""
        done = self._pacer.run(steps, None, key=broker_name)
        if done is not None:
            done.addErrback(lambda f: self._log.failure("changing routes failed", f))

    def _ha_address(self, cluster: str, address: str) -> str | None:
        """Return where the slaves of a broker copy from; None if that is unknown."""
        live = self.table.live.get(BrokerKey(cluster, address))
        return None if live is None else live.ha_server_addr

    def _route_changed(self, topic: str | None) -> None:
        """Discard the encoded route of a topic, or all."""
        self._texts.forget(topic)

    def _key_changed(self, namespace: str, key: str) -> None:
        """
        Discard the encoded route of a topic whose order configuration has changed.
        """
        if namespace == ORDER_TOPIC_CONFIG:
            self._texts.forget(key)

    def _expire(self) -> None:
        """Remove unresponsive brokers; a failure must not end the timer."""
        try:
            self._registrations.removals.expire(self._reactor.seconds())
        except Exception:
            self._log.failure("the check for unresponsive brokers failed")


def _interface(host: str) -> str:
    """Describe the interface."""
    return " of all interfaces" if host in ("0.0.0.0", "::") else f" of {host}"
