"""Tests of :mod:`rocketmq_tw.namesrv.service`."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.listener import CannotListen
from rocketmq_tw.testing import MemoryCluster, MemoryNetwork

from .fixtures import Served, registration


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

    def test_side_by_side(self) -> None:
        """Another name server knows only of the brokers that register with it."""
        self.register("A", "B")
        cluster = MemoryCluster(name_servers=2, brokers=0).start()
        self.addCleanup(cluster.stop)
        first, second = cluster.name_servers
        cluster.call(first, registration("A", "B"))
        self.assertEqual(sorted(first.service.table.queues), ["A", "B"])
        self.assertEqual(second.service.table.queues, {})


class StartTests(SynchronousTestCase):
    """What keeps a name server from starting is told."""

    def failing(self, config: NamesrvConfig, kind: type[Exception]) -> str:
        """Start a name server that cannot; give the reason."""
        reactor = MemoryNetwork(Clock()).reactor("10.0.0.1")
        service = NamesrvService(config, reactor)
        service.startService()
        return str(self.failureResultOf(service.started, kind).value)

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
