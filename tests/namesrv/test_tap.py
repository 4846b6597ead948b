"""The options of ``twistd rocketmq-namesrv``."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.application.service import IService
from twisted.logger import capturedLogs, formatEvent
from twisted.python.filepath import FilePath
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument, UnreadableDocument
from rocketmq_tw.namesrv.tap import Options, makeService
from rocketmq_tw.remoting.listen_errors import PortTaken
from rocketmq_tw.settings import to_properties
from rocketmq_tw.tls.settings import ServerMode


class TapCase(SynchronousTestCase):
    """Command lines and files of settings."""

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

    def refused(self, *words: str) -> str:
        """Give the sentence that refuses a command line."""
        return str(self.assertRaises(UsageError, self.parse, *words))


class OptionsTests(TapCase):
    """The command line and the file of settings."""

    def test_nothing_given(self) -> None:
        """Without options Apache's port is used, and a folder here."""
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
        path = self.file(b"listen=unix:/mq")
        self.assertEqual(self.parse("-c", path, "-p", "1").namesrv.endpoint, "tcp:1")

    def test_folder(self) -> None:
        """Keys and values are kept in the folder that is given."""
        config = self.parse("--data", "/srv/mq").namesrv
        self.assertEqual(config.kv_config_path, "/srv/mq/namesrv/kvConfig.json")

    def test_bind_address(self) -> None:
        """The file's address to bind is where a bare port is opened."""
        for text, endpoint in (
            (b"bindAddress=127.0.0.1", "tcp:9876:interface=127.0.0.1"),
            (b"bindAddress=[::1]", r"tcp:9876:interface=\:\:1"),
            (b"bindAddress=0.0.0.0", "tcp:9876"),
            (b"bindAddress=127.0.0.1\nlisten=unix:/mq", "unix:/mq"),
        ):
            config = self.parse("-c", self.file(text)).namesrv
            self.assertEqual(config.endpoint, endpoint)

    def test_name(self) -> None:
        """A host name is looked up; one without an address is refused."""
        config = self.parse("-p", "localhost:9876").namesrv
        self.assertEqual(config.endpoint, "tcp:9876:interface=127.0.0.1")
        said = "cannot listen on port 9876 of a..b"
        self.assertIn(said, self.refused("-p", "a..b:9876"))

    def test_without_effect(self) -> None:
        """Keys that have no effect are named in one line."""
        path = self.file(b"foo=1\nlistenPort=1\nbar=2\nuseTLS=false\n")
        with capturedLogs() as events:
            self.parse("-c", path)
        [line] = map(formatEvent, events)
        expected = f"{path}: these settings have no effect here: bar, foo"
        self.assertEqual(line, expected)

    def test_unsupported(self) -> None:
        """What somebody relies on is refused."""
        text = b"enableControllerInNamesrv=true"
        said = self.refused("-c", self.file(text))
        self.assertIn("there are no controllers yet", said)

    def test_tls(self) -> None:
        """The settings of TLS come from the file and from options."""
        path = self.file(b"tls.server.mode=enforcing\ntls.server.keyPassword=hush\n")
        config = self.parse("-c", path, "--tls-cert", "/k/server.pem").namesrv
        self.assertIs(config.tls.server.mode, ServerMode.ENFORCING)
        self.assertEqual(config.tls.server.certificate, "/k/server.pem")
        self.assertNotIn(b"hush", to_properties(config))
        self.assertIn("there is no certificate", self.refused("-c", path))

    def test_access(self) -> None:
        """Access control has settings of its own; the file is beside them."""
        path = self.file(b"aclEnable=true")
        folder = os.path.dirname(os.path.abspath(path))
        with capturedLogs() as events:
            access = self.parse("-c", path).namesrv.access
        self.assertEqual(access.acl_file, os.path.join(folder, "plain_acl.yml"))
        self.assertEqual(events, [])
        path = self.file(b"authenticationEnabled=true")
        self.assertIn("aclEnable", self.refused("-c", path))

    def test_bad_value(self) -> None:
        """A bad value is named with its key and what was expected."""
        said = self.refused("-c", self.file(b"listenPort=70000"))
        self.assertIn('listenPort is "70000"; expected a whole number', said)

    def test_bad_listen(self) -> None:
        """So is a port that is none."""
        said = self.refused("-p", "nine")
        self.assertIn('listen is "nine"; expected a port', said)

    def test_no_file(self) -> None:
        """A missing file is an error."""
        said = self.refused("-c", "/nowhere")
        self.assertIn("cannot read the settings in /nowhere", said)


class ServiceTests(TapCase):
    """What is made of the options, or why nothing is."""

    def test_service(self) -> None:
        """A name server is made; nothing is touched before it starts."""
        folder = self.mktemp()
        service: Any = makeService(self.parse("--data", folder, "-p", "0"))
        self.assertTrue(IService.providedBy(service))
        self.assertEqual([type(x).__name__ for x in service], ["NamesrvService"])
        self.assertFalse(os.path.exists(folder))

    def test_port_taken(self) -> None:
        """A port that is taken is found before a service is made."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            options = self.parse("--data", self.mktemp(), "-p", where)
            self.assertRaises(PortTaken, makeService, options)

    def test_keys_and_values(self) -> None:
        """So is a file of keys and values that is damaged or cannot be opened."""
        path = self.file(b"kvConfigPath=" + self.file(b"{").encode())
        options = self.parse("-c", path, "-p", "0")
        self.assertRaises(DamagedDocument, makeService, options)
        options = self.parse("--data", self.file(b""), "-p", "0")
        self.assertRaises(UnreadableDocument, makeService, options)
        root = FilePath(self.mktemp())
        root.child("dev").makedirs()
        root.child("dev").child("null").touch()
        options.parent = {"chroot": root.path}  # type: ignore[attr-defined]
        makeService(options)
