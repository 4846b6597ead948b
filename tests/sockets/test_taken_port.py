"""``twistd`` with a port that another program has."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

_ROOT = Path(__file__).parents[2]


class TakenPortTests(SynchronousTestCase):
    """The program ends at once, with one sentence and exit code 1."""

    def setUp(self) -> None:
        """Take a port, and make a folder to run in."""
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.taken.close)
        self.port = self.taken.getsockname()[1]
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def run_twistd(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run the name server's program on the taken port until it ends."""
        words = ["-c", "from twisted.scripts.twistd import run; run()", *flags]
        words += ["rocketmq-namesrv", "-p", f"127.0.0.1:{self.port}"]
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def sentence(self) -> str:
        """Give what is to be said."""
        return f"port {self.port} of 127.0.0.1 is in use: another program listens there"

    def test_foreground(self) -> None:
        """Nothing but the sentence stands on standard error."""
        done = self.run_twistd("-n")
        self.assertEqual((done.returncode, done.stderr.strip()), (1, self.sentence()))
        self.assertFalse((self.folder / "twistd.pid").exists())

    def test_daemon(self) -> None:
        """The shell gets the same sentence, whole, before there is a daemon."""
        done = self.run_twistd()
        self.assertEqual((done.returncode, done.stderr.strip()), (1, self.sentence()))
        self.assertFalse((self.folder / "twistd.pid").exists())
