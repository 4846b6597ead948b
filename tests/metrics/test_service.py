"""The service that serves metrics."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.service import MetricsService, make_metrics
from rocketmq_tw.metrics_settings import MetricsSettings, Token
from rocketmq_tw.remoting.listen_errors import CannotListen, PortTaken
from rocketmq_tw.settings import BadSetting
from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.settings import ServerMode, ServerTls
from tests.metrics.reading import read

LISTEN = "tcp:5557:interface=127.0.0.1"


class Reactor(MemoryReactorClock):
    """A reactor in memory whose ports may be taken."""

    is_taken = False

    def listenTCP(self, port: int, *arguments: Any, **more: Any) -> Any:  # noqa: N802
        """Open a port, or fail."""
        if self.is_taken:
            raise CannotListenError("127.0.0.1", port, OSError(98, "in use"))
        return super().listenTCP(port, *arguments, **more)


class ServiceTests(SynchronousTestCase):
    """Starts and stops with its program."""

    def setUp(self) -> None:
        """Make a reactor."""
        self.reactor = Reactor()

    def service(self, **settings: Any) -> MetricsService:
        """Make the service."""
        values: dict[str, Any] = {"listen": LISTEN, **settings}
        return MetricsService(self.reactor, MetricsSettings(**values), ServerTls())

    def test_start(self) -> None:
        """It listens, and has what it counts itself."""
        service = self.service()
        service.startService()
        self.successResultOf(service.started)
        [(port, factory, *_)] = self.reactor.tcpServers
        self.assertEqual(port, 5557)
        asked = service.page.collect()
        self.reactor.pump([0.001] * 5)
        page = read(self.successResultOf(asked))
        self.assertEqual(page.get("rocketmq_metrics_scrapes_total"), 0)
        self.assertEqual(page.get("rocketmq_metrics_requests_refused_total"), 0)
        self.assertIsNotNone(page.get("process_cpu_seconds_total"))

    def test_stop(self) -> None:
        """The port is closed, and nothing is scheduled any more."""
        service = self.service()
        service.startService()
        self.successResultOf(service.started)
        stopped = service.stopService()
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertFalse(service.running)

    def test_taken(self) -> None:
        """A port that another program has is the reason why nothing starts."""
        self.reactor.is_taken = True
        service = self.service()
        service.startService()
        self.failureResultOf(service.started, CannotListen)

    def test_log(self) -> None:
        """The log says where metrics are, and warns if everybody can read them."""
        for listen, token, count in (
            (LISTEN, "", 1),
            ("tcp:5557", "", 2),
            ("tcp:5557", "secret", 1),
        ):
            with capturedLogs() as events:
                service = self.service(listen=listen, token=Token(token))
                service.startService()
            lines = [
                formatEvent(each)
                for each in events
                if "MetricsService" in each.get("log_namespace", "")
            ]
            self.assertIn(listen, lines[0])
            self.assertEqual(len(lines), count)
            self.assertNotIn("secret", "".join(lines))

    def test_no_certificate(self) -> None:
        """TLS needs one."""
        error = self.assertRaises(BadSetting, self.service, uses_tls=True)
        self.assertIn("there is no certificate", str(error))

    def test_bad_certificate(self) -> None:
        """One that cannot be read is the reason why nothing starts."""
        tls = ServerTls(mode=ServerMode.PERMISSIVE, certificate="/nonexistent/c.pem")
        settings = MetricsSettings(listen=LISTEN, uses_tls=True)
        service = MetricsService(self.reactor, settings, tls)
        service.startService()
        self.failureResultOf(service.started, BadTlsFile)
        self.assertEqual(self.reactor.tcpServers, [])

    def test_checked(self) -> None:
        """A taken port is found before the program becomes a daemon."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            settings = MetricsSettings(listen=f"tcp:{port}:interface=127.0.0.1")
            error = self.assertRaises(
                PortTaken, make_metrics, self.reactor, settings, ServerTls()
            )
        self.assertIn(str(port), str(error))
