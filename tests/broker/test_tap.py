"""The options of ``twistd rocketmq-broker``."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.application.service import IService
from twisted.internet.testing import MemoryReactor
from twisted.logger import capturedLogs, formatEvent
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tap import (
    Options,
    makeService,
    remove_memory_folder,
    with_connection_limit,
)
from rocketmq_tw.remoting.descriptors import connection_limit, raise_limit
from rocketmq_tw.remoting.listen_errors import PortTaken


class OptionsTests(SynchronousTestCase):
    """What is made of a command line."""

    def setUp(self) -> None:
        """Forget the environment's name servers."""
        self.patch(os, "environ", {"NAMESRV_ADDR": ""})

    def options(self, *words: str) -> Options:
        """Read a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options

    def refused(self, *words: str) -> str:
        """Give the sentence that refuses a command line."""
        return str(self.assertRaises(UsageError, self.options, *words))

    def test_every_option(self) -> None:
        """Each reaches the settings."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("brokerClusterName=C\n")
        words = ["-c", path, "-n", "a:1", "-p", "127.0.0.1:2", "-d", "/x"]
        config = self.options(*words, "--advertise", "[::1]", "--name", "b").settings
        self.assertEqual(config.broker_cluster_name, "C")
        self.assertEqual((config.namesrv_addr, config.listen_port), ("a:1", 2))
        self.assertEqual(config.store_path_root_dir, "/x")
        self.assertEqual((config.broker_ip1, config.broker_name), ("::1", "b"))

    def test_refused(self) -> None:
        """What cannot be used is a usage error, whatever the reason."""
        for words, said in (
            (["-c", "no-such-file"], "cannot read the settings in no-such-file"),
            (["-p", "x"], '"x" is not host:port'),
            (["-p", "a..b:1"], "cannot listen on port 1 of a..b"),
            (["--name", "a b"], '--name is "a b"'),
            (["--memory", "--data", "x"], "--memory excludes --data"),
        ):
            self.assertIn(said, self.refused(*words))

    def test_in_memory(self) -> None:
        """A broker in memory leaves no folder behind."""
        options = self.options("--memory")
        folder = options.settings.store_path_root_dir
        self.assertEqual(options.settings.memory_store_size, 256 << 20)
        self.assertTrue(os.path.isdir(folder))
        reactor = MemoryReactor()
        remove_memory_folder(reactor, options)
        [(function, _, _)] = reactor.triggers["after"]["shutdown"]
        function()
        self.assertFalse(os.path.exists(folder))
        remove_memory_folder(reactor, Options())

    def test_help(self) -> None:
        """The help names every option with its default, and how to begin."""
        text = str(Options())
        said = ("10911", "./rocketmq-data", "the host's name", "twistd -n rocketmq")
        for words in said:
            self.assertIn(words, " ".join(text.split()))

    def test_service(self) -> None:
        """A service is made; nothing is touched before it starts."""
        folder = self.mktemp()
        options = self.options("-d", folder, "-p", "0")
        with capturedLogs() as logs:
            service: Any = makeService(options)
        self.assertTrue(IService.providedBy(service))
        self.assertFalse(os.path.exists(folder))
        self.assertIn("no name server is given", formatEvent(logs[0]))
        with capturedLogs() as logs:
            makeService(self.options("-d", folder, "-p", "0", "-n", "a:1"))
        self.assertEqual(logs, [])
        names = [type(each).__name__ for each in service]
        self.assertEqual(names, ["BrokerService", "ReachabilityCheck"])

    def test_connection_limit(self) -> None:
        """Connections leave descriptors to the store, unless a limit is given."""
        descriptors = raise_limit()
        limit = with_connection_limit(BrokerConfig()).max_connections
        self.assertEqual(limit, connection_limit(descriptors))
        self.assertLess(limit, descriptors)
        given = with_connection_limit(BrokerConfig(max_connections=7))
        self.assertEqual(given.max_connections, 7)

    def test_cannot_start(self) -> None:
        """A port that is taken is found before a service is made."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            words = ["-d", self.mktemp(), "-n", "a:1", "-p", f"127.0.0.1:{port}"]
            self.assertRaises(PortTaken, makeService, self.options(*words))
