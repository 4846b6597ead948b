"""Tests of :mod:`rocketmq_tw.namesrv.service` and :mod:`rocketmq_tw.namesrv.tap`."""

from __future__ import annotations

import os

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.namesrv.tap import Options
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


class OptionsTests(SynchronousTestCase):
    """The command line and the file of settings."""

    def parse(self, *words: str) -> Options:
        """Parse a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options

    def file(self, text: bytes) -> str:
        """Write a file of settings."""
        path: str = self.mktemp()
        FilePath(path).setContent(text)
        return path

    def test_nothing_given(self) -> None:
        """Without options the original's port is used, and a folder here."""
        config = self.parse().namesrv
        self.assertEqual(config.endpoint, "tcp:9876")
        kept = os.path.abspath("rocketmq-data/namesrv/kvConfig.json")
        self.assertEqual(config.kv_config_path, kept)

    def test_given(self) -> None:
        """Options win over the file."""
        path = self.file(b"listenPort=1234\norderMessageEnable=true\nkvConfigPath=/k")
        config = self.parse("-c", path, "-p", "127.0.0.1:29876").namesrv
        self.assertEqual(config.endpoint, "tcp:29876:interface=127.0.0.1")
        self.assertTrue(config.order_message_enable)
        self.assertEqual(config.kv_config_path, "/k")
        self.assertEqual(self.parse("-c", path).namesrv.endpoint, "tcp:1234")

    def test_unknown_keys(self) -> None:
        """Keys that mean nothing here are noted."""
        options = self.parse("-c", self.file(b"foo=1\nlistenPort=1\nbar=2"))
        self.assertEqual(options.unknown, ["bar", "foo"])

    def test_bad_value(self) -> None:
        """A bad value is named with its key and what was expected."""
        path = self.file(b"listenPort=70000")
        error = self.assertRaises(UsageError, self.parse, "-c", path)
        self.assertIn('listenPort is "70000"; expected a whole number', str(error))

    def test_bad_listen(self) -> None:
        """So is a port that is none."""
        error = self.assertRaises(UsageError, self.parse, "-p", "nine")
        self.assertIn('listen is "nine"; expected a port', str(error))

    def test_no_file(self) -> None:
        """A missing file is an error."""
        error = self.assertRaises(UsageError, self.parse, "-c", "/nowhere")
        self.assertIn("cannot read the settings in /nowhere", str(error))
