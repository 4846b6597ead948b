"""The standard output of a process."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_WRITE = """
import click, sys
from click.exceptions import Exit
from rocketmq_tw.admin.cli.invocation import Invocation, Surroundings
from rocketmq_tw.admin.cli.options import Options
from rocketmq_tw.admin.cli.streams import prepare_streams

def run(target, work):
    click.echo("\u8ba2" * int(sys.argv[1]))
    return 0

prepare_streams()
try:
    Invocation(Options(as_json=True), Surroundings(run)).run(None)
except Exit as error:
    sys.exit(error.exit_code)
"""


class StreamTests(SynchronousTestCase):
    """A process that writes."""

    def run_it(self, count: int, **options: object) -> subprocess.CompletedProcess[str]:
        """Let it write so many characters."""
        return subprocess.run(
            [sys.executable, "-c", _WRITE, str(count)],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            **options,  # type: ignore[call-overload]
        )

    def test_encoding(self) -> None:
        """A character that the encoding does not have is escaped."""
        poor = {**os.environ, "PYTHONIOENCODING": "latin-1"}
        done = self.run_it(1, stdout=subprocess.PIPE, env=poor)
        self.assertEqual((done.stdout, done.stderr), ("\\u8ba2\n", ""))

    def test_closed_pipe(self) -> None:
        """It ends without a word, as programs do that a closed pipe kills."""
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        done = self.run_it(10, stdout=writer)
        self.assertEqual((done.returncode, done.stderr), (141, ""))

    def test_full_disk(self) -> None:
        """It says why it cannot write, and that in one line."""
        with open("/dev/full", "w") as full:
            done = self.run_it(10, stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr,
            '{"error":"[Errno 28] No space left on device","kind":"OSError"}\n',
        )
