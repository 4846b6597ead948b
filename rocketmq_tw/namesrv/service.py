"""What a name server is made of, and the order it starts and stops in."""

from __future__ import annotations

from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import ORDER_TOPIC_CONFIG, KVConfig
from rocketmq_tw.namesrv.lookups import Lookups
from rocketmq_tw.namesrv.registrations import Registrations
from rocketmq_tw.namesrv.routes import RegistrationRefused, RouteTable
from rocketmq_tw.namesrv.settings import Settings
from rocketmq_tw.namesrv.views import RouteTexts
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.settings import BadSetting
from rocketmq_tw.wire.codes import ResponseCode


class NamesrvService(MultiService):
    """
    A name server.

    :param config: its settings.
    :param reactor: clock, threads and sockets.
    :ivar started: fires when it listens; fails with the reason if it cannot.
    :ivar listener: its port.
    :ivar table: the brokers and topics it knows.
    """

    _log = Logger()

    def __init__(self, config: NamesrvConfig, reactor: Any) -> None:
        super().__init__()
        self._config = config
        self._reactor = reactor
        self.started: Deferred[None] = Deferred()
        self.table = RouteTable(self._route_changed)
        self._kvconfig = KVConfig(
            JsonFile(config.kv_config_path), self._run_in_thread, self._key_changed
        )
        # Made before what it looks routes up with, as the table reports to it.
        self._texts = RouteTexts(lambda topic: self._lookups.find(topic))
        self._lookups = Lookups(
            config, self.table, self._kvconfig, self._texts, reactor.seconds
        )
        self._registrations = Registrations(
            config, self.table, self._kvconfig, reactor.seconds
        )
        settings = Settings(config, self._kvconfig, lambda: self._texts.forget(None))
        router = Router(
            {
                RegistrationRefused: ResponseCode.SYSTEM_ERROR,
                BadSetting: ResponseCode.SYSTEM_ERROR,
            }
        )
        for part in (self._lookups, self._registrations, settings):
            part.serve(router)
        self.factory = RemotingServerFactory(
            router, reactor, on_lost=self._registrations.connection_lost
        )
        self.listener = Listener(reactor)
        self.listener.setServiceParent(self)
        self._expiry = LoopingCall(self._expire)
        self._expiry.clock = reactor

    def startService(self) -> None:
        """Read what was kept, then listen."""
        super().startService()
        try:
            self._kvconfig.load()
            endpoint = self._config.endpoint
        except (RocketMQError, OSError, ValueError):
            self.started = fail(Failure())
            return
        interval = self._config.scan_not_active_broker_interval / 1000
        self._expiry.start(interval, now=False)
        self.started = self.listener.start(endpoint, self.factory)
        self.started.addCallback(self._say_where)

    async def _stop(self) -> None:
        """Close the port, then the connections."""
        await self.listener.stopService()
        await self.factory.close_all()
        await super().stopService()

    def stopService(self) -> Deferred[None]:
        """Close the port, then the connections; fires when all are gone."""
        if self._expiry.running:
            self._expiry.stop()
        return Deferred.fromCoroutine(self._stop())

    def _say_where(self, _: None) -> None:
        """Tell people where it can be reached."""
        where: Any = self.listener.address
        host, port = getattr(where, "host", None), getattr(where, "port", None)
        shown = where if host is None else f"port {port}" + _interface(host)
        self._log.info("the name server listens on {where}", where=shown)
        path = self._config.kv_config_path
        self._log.info("its keys and values are kept in {path}", path=path)

    def _run_in_thread(self, function: Any, *args: Any) -> Deferred[Any]:
        """Run what blocks in a thread of the reactor's."""
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, function, *args)

    def _route_changed(self, topic: str | None) -> None:
        """Have a route, or all, put together anew."""
        self._texts.forget(topic)

    def _key_changed(self, namespace: str, key: str) -> None:
        """Have a route put together anew if its order configuration changed."""
        if namespace == ORDER_TOPIC_CONFIG:
            self._texts.forget(key)

    def _expire(self) -> None:
        """Take silent brokers out; a failure must not end the looking."""
        try:
            self._registrations.expire()
        except Exception:
            self._log.failure("looking for silent brokers failed")


def _interface(host: str) -> str:
    """Name the interface, if it is not all of them."""
    return " of all interfaces" if host in ("0.0.0.0", "::") else f" of {host}"
