"""A console of a program that has changed its root directory, as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import unittest
import urllib.request
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.ports import free_port

#: The user and group that the program becomes; it has no name on most systems.
_USER = 54321
_TWISTD = "from twisted.scripts.twistd import run; run()"


@unittest.skipUnless(os.geteuid() == 0, "only root may change its root directory")
class ChrootTests(SynchronousTestCase):
    """``twistd --chroot`` into a folder with four files."""

    def setUp(self) -> None:
        """Make the new root, and start the program."""
        root = Path(self.mktemp()).absolute()
        for folder in ("dev", "etc", "data"):
            (root / folder).mkdir(parents=True)
        (root / "dev/null").touch()
        (root / "etc/passwd").write_text(f"mq:x:{_USER}:{_USER}::/:/none\n")
        (root / "etc/group").write_text(f"mq:x:{_USER}:\n")
        os.chown(root / "data", _USER, _USER)
        self.config = root / "broker.conf"
        self.config.write_text(
            "storePathRootDir=/data\nmappedFileSizeCommitLog=1048576\n"
        )
        self.port = free_port()
        self.root = root
        self.process = self.start()
        self.addCleanup(self.end)

    def start(self) -> subprocess.Popen[str]:
        """Start the program, and wait until the broker has registered."""
        words = ["-n", "--pidfile=", f"--chroot={self.root}", "--rundir=/"]
        words += [f"--uid={_USER}", f"--gid={_USER}", "rocketmq"]
        words += [f"--config={self.config}", f"--console={self.port}"]
        words += [f"--listen=127.0.0.1:{free_port()}", "--advertise=127.0.0.1"]
        words += [f"--namesrv-listen=127.0.0.1:{free_port()}"]
        process = subprocess.Popen(
            [sys.executable, "-c", _TWISTD, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TZ": "UTC"},
        )
        killer = threading.Timer(50, process.kill)
        killer.start()
        self.addCleanup(killer.cancel)
        self.lines: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
            if "registered with name server" in line:
                return process
        self.fail("".join(self.lines))

    def end(self) -> None:
        """End the program; it stops as usual."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=30)
        self.assertNotIn("Traceback", "".join(self.lines) + output)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request of a program."""
        token = (self.root / "data/console-token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def test_console(self) -> None:
        """What is done first by a request is done without a file of Python's."""
        found = self.ask("GET", "cluster")
        self.assertEqual((len(found["status"]["brokers"]), found["problems"]), (1, []))
        self.assertEqual(self.ask("POST", "topic", {"name": "orders"})["failed"], {})
        self.assertEqual(self.ask("POST", "group", {"name": "billing"})["failed"], {})
        sent = self.ask("POST", "message", {"topic": "orders", "body": "YWJj"})
        self.assertEqual(sent["status"], "SEND_OK")
        found = self.ask("GET", "messages?topic=orders&begin=2020-01-01T00:00:00Z")
        self.assertEqual(found["items"][0]["preview"], "abc")
        self.assertEqual(self.ask("GET", "group?name=billing")["members"], [])
        for path in ("clients", "dead-letters", "dead-letters/messages?group=billing"):
            self.assertEqual(self.ask("GET", path)["items"], [], path)
