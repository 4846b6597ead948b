"""The service that serves metrics: the port, the page, and what the process uses."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.http import CONNECTIONS, PATIENCE, MetricsFactory
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.process import ProcessMetrics
from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.preflight import check_port
from rocketmq_tw.remoting.tls import ServerSide, server_side
from rocketmq_tw.settings import BadSetting
from rocketmq_tw.tls.settings import ServerMode, ServerTls


class MetricsService(Service):
    """
    Serves the metrics of all parts of a program.

    :param tls: of the server's other ports, whose certificate this one uses.
    :ivar page: parts add what they collect to it.
    :ivar factory: makes the connections.
    :ivar started: fires when the port is open; fails if it cannot be.
    """

    _log = Logger()

    def __init__(self, reactor: Any, settings: MetricsSettings, tls: ServerTls) -> None:
        self._settings = settings
        self._peers = PeerLog(reactor)
        self.page = Page(reactor, settings.limit, settings.interval)
        self._process = ProcessMetrics(self.page, reactor, wall_time(reactor)())
        self.factory = MetricsFactory(reactor, self.page, settings.token.text)
        self._own = self.page.family(
            "rocketmq_metrics_scrapes_total", "counter", "How often this page was made"
        )
        self._refused = self.page.family(
            "rocketmq_metrics_requests_refused_total",
            "counter",
            "Requests to this port that were refused",
        )
        self.page.add(self._collect)
        self._tls = self._server_side(reactor, tls) if settings.uses_tls else None
        self.listener = Listener(reactor, self._tls, self._peers)
        self.started: Deferred[None] = Deferred()

    def _server_side(self, reactor: Any, tls: ServerTls) -> ServerSide | None:
        """Return TLS of the port. :raises BadSetting: there is no certificate."""
        if not tls.is_on:
            expected = "false, as there is no certificate: set tls.server.certPath"
            raise BadSetting("metricsTls", "true", expected)
        return server_side(
            msgspec.structs.replace(tls, mode=ServerMode.ENFORCING),
            reactor=reactor,
            peers=self._peers,
            max_handshakes=CONNECTIONS,
            max_handshakes_per_address=CONNECTIONS,
            handshake_timeout=PATIENCE,
        )

    def startService(self) -> None:
        """Open the port; the page has what the parts have added so far."""
        super().startService()
        try:
            if self._tls is not None:
                self._tls.start()
        except RocketMQError:
            self.started = fail(Failure())
            return
        self._process.start()
        self.started = self.listener.start(self._settings.listen, self.factory)
        self.started.addCallback(self._log_address)

    def stopService(self) -> Deferred[None]:
        """Close the port and all connections; fires when the port is free."""
        super().stopService()
        if self._tls is not None:
            self._tls.stop()
        self._process.stop()
        self.page.stop()
        self.factory.close_all()
        return self.listener.stopService()

    def _log_address(self, _: None) -> None:
        """Log where the metrics are, and who can read them."""
        self._log.info(
            "metrics are served at {where}, path /metrics", where=self._settings.listen
        )
        if self._settings.is_exposed:
            self._log.warn(
                "whoever reaches this port can read the names of topics and groups in"
                " the metrics; metricsToken=... asks for a token"
            )

    def _collect(self) -> Any:
        """Set what is counted of the page itself."""
        self._own.set((), self.page.scrapes)
        self._refused.set((), self.factory.refused)
        yield None


def make_metrics(
    reactor: Any, settings: MetricsSettings, tls: ServerTls
) -> MetricsService:
    """
    Return the service of a program, before that becomes a daemon.

    :raises RocketMQError: its port cannot be opened now.
    """
    made = MetricsService(reactor, settings, tls)
    check_port(settings.listen)
    return made
