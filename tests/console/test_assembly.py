"""The console of a program."""

from __future__ import annotations

import os
import socket

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.assembly import (
    check_console,
    console_endpoint,
    console_token_file,
    make_console,
)
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.errors import BadConsoleSetting
from rocketmq_tw.remoting.in_process import OwnServers
from rocketmq_tw.remoting.listen_errors import PortTaken
from rocketmq_tw.tls.settings import TlsSettings
from tests.ports import free_port


class AssemblyTests(SynchronousTestCase):
    """What is checked before a program becomes a daemon."""

    def test_endpoint(self) -> None:
        """A port is this machine's; anything else says where."""
        for text, expected in (
            ("8080", "tcp:8080:interface=127.0.0.1"),
            ("0.0.0.0:8080", "tcp:8080:interface=0.0.0.0"),
            ("[::1]:8080", "tcp:8080:interface=\\:\\:1"),
            ("tcp:8080", "tcp:8080"),
        ):
            self.assertEqual(console_endpoint(text), expected)
        for text in ("99999", "nowhere"):
            error = self.assertRaises(BadConsoleSetting, console_endpoint, text)
            self.assertIn(text, str(error))

    def test_plain(self) -> None:
        """The token crosses a network only by TLS, or if somebody says so."""
        port = free_port()
        listen = f"0.0.0.0:{port}"
        error = self.assertRaises(
            BadConsoleSetting,
            check_console,
            listen,
            is_secure=False,
            allow_plain=False,
        )
        self.assertIn("its token would be sent unencrypted", str(error))
        check_console(listen, is_secure=True, allow_plain=False)
        check_console(listen, is_secure=False, allow_plain=True)
        check_console(str(port), is_secure=False, allow_plain=False)

    def test_taken(self) -> None:
        """A port that is taken ends the program before it is a daemon."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.assertRaises(
                PortTaken, check_console, port, is_secure=False, allow_plain=False
            )

    def test_no_name_server(self) -> None:
        """The console cannot do without one."""
        reactor = MemoryReactorClock()
        error = self.assertRaises(
            BadConsoleSetting,
            make_console,
            reactor,
            ConsoleConfig(listen="tcp:8080", token="0123456789abcdef"),
            [],
            name="broker-a",
            inner=None,
            tls=TlsSettings(),
            own=OwnServers(reactor),
        )
        self.assertIn("name one with -n host:9876", str(error))

    def test_token_file(self) -> None:
        """It is in the broker's folder; nothing is made before the start."""
        folder = self.mktemp()
        path = console_token_file("", folder)
        self.assertEqual(path, os.path.abspath(os.path.join(folder, "console-token")))
        self.assertFalse(os.path.exists(folder))
        other = self.mktemp()
        self.assertEqual(console_token_file(other, folder), os.path.abspath(other))
        with open(other, "w") as file:
            file.write("short")
        self.assertRaises(BadConsoleSetting, console_token_file, other, folder)
        console_token_file(other, folder, in_chroot=True)
