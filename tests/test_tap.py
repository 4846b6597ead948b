"""The options of ``twistd rocketmq``: both programs in one."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.application.service import IService
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import tap as all_in_one
from rocketmq_tw.broker import tap as broker_tap
from rocketmq_tw.namesrv import tap as namesrv_tap
from rocketmq_tw.remoting.listen_errors import PortTaken
from rocketmq_tw.tap import Options, makeService
from rocketmq_tw.tls.errors import BadTlsFile
from tests.ports import free_port


class OptionsTests(SynchronousTestCase):
    """What is made of a command line."""

    def options(self, *words: str) -> Options:
        """Read a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options

    def test_nothing_given(self) -> None:
        """
        Both have Apache RocketMQ's ports, on this machine only, and one folder.
        """
        options = self.options()
        folder = os.path.abspath("rocketmq-data")
        listen = "tcp:9876:interface=127.0.0.1"
        self.assertEqual(options.name_server.listen, listen)
        listen = "tcp:10911:interface=127.0.0.1"
        self.assertEqual(options.settings.listen, listen)
        self.assertEqual(options.settings.broker_ip1, "127.0.0.1")
        self.assertEqual(options.settings.listen_port, 10911)
        self.assertEqual(options.settings.store_path_root_dir, folder)
        inside = os.path.join(folder, "namesrv")
        config = options.name_server
        self.assertEqual(config.kv_config_path, os.path.join(inside, "kvConfig.json"))
        path = os.path.join(inside, "namesrv.properties")
        self.assertEqual(config.config_store_path, path)

    def test_other_machines(self) -> None:
        """Whoever says which address clients use serves other machines."""
        options = self.options("--advertise", "10.0.0.1")
        self.assertEqual(options.name_server.listen, "tcp:9876")
        self.assertEqual(options.settings.listen, "")
        options = self.options("-p", "10911", "-P", "9876")
        self.assertEqual(options.name_server.listen, "tcp:9876")
        self.assertEqual(options.settings.listen, "")

    def test_both_ports(self) -> None:
        """Each part has its own."""
        options = self.options("-P", "127.0.0.1:9877", "-p", "127.0.0.1:10921")
        self.assertEqual(options.name_server.listen, "tcp:9877:interface=127.0.0.1")
        self.assertEqual(options.settings.listen_port, 10921)

    def test_refused(self) -> None:
        """The error names the option that was meant."""
        for text in ("99999", "0", "systemd:domain=INET:index=0", "a..b:9876"):
            error = self.assertRaises(UsageError, self.options, "-P", text)
            self.assertIn("--namesrv-listen: ", str(error))
        error = self.assertRaises(UsageError, self.options, "-p", "99999")
        self.assertIn("--listen is 99999", str(error))

    def test_access(self) -> None:
        """The name server has the accounts of a broker that signs."""
        path = self.mktemp()
        inner = 'innerClientAuthenticationCredentials={"accessKey":"a","secretKey":"b"}'
        for text, is_checked in (
            ("", False),
            ("aclEnable=true", False),
            (inner, False),
            (f"aclEnable=true\naclFile=/k/acl.yml\n{inner}", True),
        ):
            with open(path, "w") as file:
                file.write(text)
            access = self.options("-c", path).name_server.access
            self.assertEqual(access.acl_file, "/k/acl.yml" if is_checked else None)
            self.assertEqual(access.inner is not None, inner in text)

    def test_own_connection(self) -> None:
        """The broker needs no authority for the name server of its program."""
        words = ["--tls-cert", "/k/s.pem", "--tls-mode", "enforcing"]
        for more in ([], ["--tls-client-ca", "/k/ca.pem"]):
            options = self.options(*words, *more)
            self.assertIsNone(options.settings.tls.client)
            self.assertEqual(options.name_server.tls, options.settings.tls)

    def test_bad_certificate(self) -> None:
        """Each of the programs ends with a sentence before it becomes a daemon."""
        words = ["--tls-cert", "/nonexistent/server.pem"]
        port = free_port()
        for tap, more in (
            (all_in_one, ["-P", str(port), "-p", "0", "-d", self.mktemp()]),
            (broker_tap, ["-p", "0", "-d", self.mktemp(), "--advertise", "127.0.0.1"]),
            (namesrv_tap, ["-p", "0", "--data", self.mktemp()]),
        ):
            options = tap.Options()
            options.parseOptions([*words, *more])
            error = self.assertRaises(BadTlsFile, tap.makeService, options)
            self.assertIn("/nonexistent/server.pem cannot be read", str(error))

    def test_dialled(self) -> None:
        """The broker finds the name server of its process, wherever that listens."""
        for listen, address in (
            ("9876", "127.0.0.1:9876"),
            ("localhost:9876", "127.0.0.1:9876"),
            ("[::1]:9876", "[::1]:9876"),
            ("tcp6:9876", "[::1]:9876"),
            ("unix:/run/mq:mode=660", "unix:/run/mq"),
            ("ssl:9876:privateKey=k", "ssl:127.0.0.1:9876"),
        ):
            options = self.options("-P", listen)
            self.assertEqual(options.settings.namesrv_addr, address)

    def test_more_name_servers(self) -> None:
        """Those of the file are registered with as well."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("namesrvAddr=ns1:9876;ns2:9876\n")
        expected = "127.0.0.1:9876;ns1:9876;ns2:9876"
        self.assertEqual(self.options("-c", path).settings.namesrv_addr, expected)

    def test_environment(self) -> None:
        """The environment's name servers are for the broker alone, not for both."""
        self.patch(os, "environ", {"NAMESRV_ADDR": "ns1:9876"})
        self.assertEqual(self.options().settings.namesrv_addr, "127.0.0.1:9876")

    def test_service(self) -> None:
        """The name server comes first; the address is checked last."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        where = f"127.0.0.1:{port}"
        words = ["-d", self.mktemp(), "-p", "0", "-P", where]
        service: Any = makeService(self.options(*words))
        self.assertTrue(IService.providedBy(service))
        names = [type(each).__name__ for each in service]
        expected = ["NamesrvService", "BrokerService", "ReachabilityCheck"]
        self.assertEqual(names, expected)

    def test_cannot_start(self) -> None:
        """A port that is taken is found before a service is made, for both parts."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            folder = self.mktemp()
            for words in (["-P", where, "-p", "0"], ["-p", where]):
                options = self.options("-d", folder, *words)
                self.assertRaises(PortTaken, makeService, options)
