"""The program in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

#: Interrupts the program when a module is imported.
_INTERRUPTED = """
import sys

module = sys.argv[1]

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from rocketmq_tw.admin.cli.program import main
sys.argv[1:] = ["-n", "127.0.0.1:1", "topic", "list"]
main()
"""


class ProgramTests(SynchronousTestCase):
    """What a shell sees of it."""

    def test_interrupted(self) -> None:
        """Whenever Ctrl-C comes, nothing is printed, and the exit code says it."""
        for module in ("click", "rocketmq_tw.admin.cli.topic", "twisted"):
            done = subprocess.run(
                [sys.executable, "-c", _INTERRUPTED, module],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual((done.returncode, done.stderr), (130, ""), module)

    def test_closed_streams(self) -> None:
        """Streams that are closed when it starts are no reason for a traceback."""
        program = f"{sys.executable} -c 'from rocketmq_tw.admin.cli.program import main"
        for words, closed, code in (
            ("-h", ">&-", 0),
            ("-n 127.0.0.1:1 topic list", ">&-", 3),
            ("-n 127.0.0.1:1 topic list", "2>&-", 3),
            ("message send T -n 127.0.0.1:1", "<&-", 3),
        ):
            done = subprocess.run(
                ["bash", "-c", f"{program}; main()' {words} {closed}"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
