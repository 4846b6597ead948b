"""Tests of :mod:`rocketmq_tw.namesrv.service`."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.listen_errors import CannotListen
from rocketmq_tw.testing import MemoryCluster, MemoryNetwork

from .fixtures import Served, broker, registration


class ServiceTests(Served):
    """A name server starts and stops."""

    def test_listens(self) -> None:
        """It listens on its port."""
        address = self.service.listener.address
        self.assertEqual(address, IPv4Address("TCP", self.node.host, 9876))

    def test_stops(self) -> None:
        """It stops with nothing left: no connections, no timers."""
        self.register("A", "B")
        self.node.stop()
        self.assertEqual(len(self.service.factory.connections), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.service.listener.address)
        self.assertFalse(self.service.running)

    def test_failed_check(self) -> None:
        """A failure among the unresponsive brokers does not end the checks."""
        table = self.service.table
        self.assertTrue(self.service.running)
        now = self.clock.seconds()
        table.register(broker("A", "B", connection=Unclosable(), timeout=1.0), now)
        self.clock.advance(5.0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        self.clock.pump([5.0] * 5)
        self.assertEqual(table.groups, {})

    def test_side_by_side(self) -> None:
        """Another name server knows only of the brokers that register with it."""
        self.register("A", "B")
        cluster = MemoryCluster(name_servers=2, brokers=0).start()
        self.addCleanup(cluster.stop)
        first, second = cluster.name_servers
        cluster.call(first, registration("A", "B"))
        self.assertEqual(sorted(first.service.table.queues), ["A", "B"])
        self.assertEqual(second.service.table.queues, {})


class Unclosable:
    """A connection that fails when it is closed."""

    address = "10.0.0.1:4711"

    def abort(self) -> None:
        """Fail."""
        raise ZeroDivisionError


class LogTests(SynchronousTestCase):
    """A name server that starts logs where it is reached."""

    def lines(self, listen: str, reactor: Any) -> list[str]:
        """Start a name server; give the lines of its log."""
        config = NamesrvConfig(kv_config_path="/nowhere/kv.json", listen=listen)
        service = NamesrvService(config, reactor)
        with capturedLogs() as events:
            service.startService()
            self.successResultOf(service.started)
        self.successResultOf(service.stopService())
        namespace = "rocketmq_tw.namesrv.service.NamesrvService"
        return [formatEvent(e) for e in events if e["log_namespace"] == namespace]

    def test_lines(self) -> None:
        """The port and its interface; and where values are kept."""
        one = MemoryNetwork(Clock()).reactor("10.0.0.1")
        for listen, reactor, where in (
            ("9876", MemoryReactorClock(), "port 9876 of all interfaces"),
            ("10.0.0.1:9876", one, "port 9876 of 10.0.0.1"),
            ("unix:/run/mq", MemoryReactorClock(), "UNIXAddress('/run/mq')"),
        ):
            expected = [
                f"the name server listens on {where}",
                "its keys and values are kept in /nowhere/kv.json",
            ]
            self.assertEqual(self.lines(listen, reactor), expected)


class StartTests(SynchronousTestCase):
    """A name server that cannot start fails with the reason."""

    def failing(self, config: NamesrvConfig, kind: type[Exception]) -> str:
        """Start a name server that cannot; give the reason."""
        reactor = MemoryNetwork(Clock()).reactor("10.0.0.1")
        service = NamesrvService(config, reactor)
        service.startService()
        said = str(self.failureResultOf(service.started, kind).value)
        self.successResultOf(service.stopService())
        return said

    def test_damaged_keys(self) -> None:
        """It does not start over a damaged file, which it would overwrite."""
        path = self.mktemp()
        FilePath(path).setContent(b"{")
        config = NamesrvConfig(kv_config_path=path)
        self.assertIn(path, self.failing(config, DamagedDocument))

    def test_bad_endpoint(self) -> None:
        """It says which endpoint it cannot open."""
        config = NamesrvConfig(kv_config_path=self.mktemp(), listen="systemd:x")
        self.assertIn("systemd:x", self.failing(config, CannotListen))
