"""Commands of ``rocketmq-admin`` that a signal interrupts, as processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

_MAIN = "from rocketmq_tw.admin.cli.main import main; main()"


class InterruptedTests(SynchronousTestCase):
    """Ctrl-C."""

    def test_silent_server(self) -> None:
        """Nothing is printed, and the exit code says so."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(60)
            port = server.getsockname()[1]
            command = self.start("-n", f"127.0.0.1:{port}", "topic", "list")
            connection, _ = server.accept()
            with connection:
                connection.settimeout(60)
                connection.recv(1)  # the request
                command.send_signal(signal.SIGINT)
                said = command.communicate(timeout=120)
        self.assertEqual((command.returncode, said), (130, (b"", b"")))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        environment: dict[str, Any] = {**os.environ, "HOME": "/nonexistent"}
        command = subprocess.Popen(
            [sys.executable, "-c", _MAIN, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.addCleanup(command.wait)
        self.addCleanup(command.kill)
        return command
