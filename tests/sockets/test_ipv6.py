"""``twistd rocketmq`` on IPv6 alone, and a client that sends through it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from rocketmq_tw import Client, Message
from tests.ports import free_port

_ROOT = Path(__file__).parents[2]
_LOOPBACK = "::1"


class IPv6Tests(TestCase):
    """A name server and a broker that listen on ``[::1]``."""

    timeout = 120

    def setUp(self) -> None:
        """Choose the ports, and a folder."""
        try:
            with socket.create_server((_LOOPBACK, 0), family=socket.AF_INET6):
                pass
        except OSError as error:
            raise SkipTest(f"no IPv6 here: {error}") from None
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.namesrv_port, self.port = free_port(), free_port()

    def launch(self, *more: str) -> None:
        """Start the program; it ends with the test."""
        words = ["-c", "from twisted.scripts.twistd import run; run()", "-n"]
        words += ["--pidfile=", "--logfile=log", "rocketmq", "-d", "data", *more]
        words += ["-P", f"[{_LOOPBACK}]:{self.namesrv_port}"]
        program = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(program.wait)
        self.addCleanup(program.send_signal, signal.SIGTERM)

    def registered(self) -> str:
        """Wait until the broker is registered; give the log."""
        until = time.monotonic() + 90
        while True:
            path = self.folder / "log"
            log = path.read_text() if path.exists() else ""
            if "registered with name server" in log:
                return log
            if time.monotonic() > until:
                raise AssertionError(f"not registered: {log}")
            time.sleep(0.05)

    async def send(self) -> str:
        """Send one message by way of the name server; give the broker's log."""
        log = await deferToThread(self.registered)
        name_server = f"[{_LOOPBACK}]:{self.namesrv_port}"
        async with Client(reactor, name_server) as client:
            result = await client.producer("P").send(Message("T", b"x"))
        # It begins with the broker's address: 16 bytes of it.
        self.assertEqual(len(result.offset_message_id), 56)
        return log

    async def test_listen(self) -> None:
        """The address that is listened on is the one that clients are sent to."""
        self.launch("-p", f"[{_LOOPBACK}]:{self.port}")
        log = await self.send()
        self.assertIn(f"listens on port {self.port} as [::1]:{self.port}", log)

    async def test_advertise(self) -> None:
        """One that listens on all interfaces sends clients where it is asked to."""
        self.launch("-p", f"tcp6:{self.port}", "--advertise", f"[{_LOOPBACK}]")
        await self.send()
