"""The options of ``twistd rocketmq``: both programs in one."""

from __future__ import annotations

import os

from twisted.application.service import IService
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tap import Options, _reached_at, makeService


class OptionsTests(SynchronousTestCase):
    """What is made of a command line."""

    def options(self, *words: str) -> Options:
        """Read a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options

    def test_nothing_said(self) -> None:
        """Both have the original's ports, and keep all in one folder."""
        options = self.options()
        folder = os.path.abspath("rocketmq-data")
        self.assertEqual(options.name_server.listen, "tcp:9876")
        self.assertEqual(options.settings.listen_port, 10911)
        self.assertEqual(options.settings.store_path_root_dir, folder)
        inside = options.name_server.kv_config_path
        self.assertEqual(inside, os.path.join(folder, "namesrv", "kvConfig.json"))

    def test_both_ports(self) -> None:
        """Each part has its own."""
        options = self.options("-P", "127.0.0.1:9877", "-p", "127.0.0.1:10921")
        self.assertEqual(options.name_server.listen, "tcp:9877:interface=127.0.0.1")
        self.assertEqual(options.settings.listen_port, 10921)

    def test_refused(self) -> None:
        """It is said which of the two was meant."""
        error = self.assertRaises(UsageError, self.options, "-P", "99999")
        self.assertIn("--namesrv-listen", str(error))
        error = self.assertRaises(UsageError, self.options, "-p", "99999")
        self.assertIn("--listen is 99999", str(error))

    def test_reached_at(self) -> None:
        """The broker finds the name server of its process, wherever that listens."""
        for endpoint, address in (
            ("tcp:9876", "127.0.0.1:9876"),
            ("tcp:9876:interface=0.0.0.0", "127.0.0.1:9876"),
            ("tcp:9876:interface=10.0.0.1", "10.0.0.1:9876"),
            (r"tcp:9876:interface=\:\:1", "[::1]:9876"),
            (r"tcp:9876:interface=\:\:", "[::1]:9876"),
        ):
            self.assertEqual(_reached_at(endpoint), address)

    def test_service(self) -> None:
        """The name server comes first."""
        service = makeService(self.options("-d", self.mktemp()))
        self.assertTrue(IService.providedBy(service))
        names = [type(each).__name__ for each in service]  # type: ignore[attr-defined]
        self.assertEqual(names, ["NamesrvService", "BrokerService"])
