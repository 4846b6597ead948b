"""Logs of real programs, in files that are rotated."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable

from tests.sockets.test_programs import ProgramCase, connected


class RotationTests(ProgramCase):
    """A broker whose log file is renamed."""

    def launch_with_file(self) -> subprocess.Popen[str]:
        """Start one in the foreground, with JSON in a file."""
        command = self.command

        def with_options(data: str, port: int, *flags: str) -> list[str]:
            return [*command(data, port, *flags, "--logfile=x.log"), "--log-json"]

        self.command = with_options  # type: ignore[method-assign]
        return self.launch()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + 90
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    def test_hangup(self) -> None:
        """After SIGHUP lines go to a new file, and the program goes on."""
        program = self.launch_with_file()
        connected(self.port).close()
        log, old = self.folder / "x.log", self.folder / "x.log.old"
        self.wait(lambda: "listens on port" in log.read_text())
        log.rename(old)
        program.send_signal(signal.SIGHUP)
        self.wait(log.exists)
        connected(self.port).close()
        program.terminate()
        program.communicate(timeout=120)
        first, second = (
            [json.loads(line) for line in path.read_text().splitlines()]
            for path in (old, log)
        )
        self.assertIn("listens on port", " ".join(each["message"] for each in first))
        self.assertIn("is stopped", " ".join(each["message"] for each in second))
        self.assertEqual(
            {*first[0]} - {"fields"}, {"time", "level", "system", "message"}
        )
