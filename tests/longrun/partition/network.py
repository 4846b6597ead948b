"""The proxy's process, and what is told to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.servers import ROOT
from tests.longrun.partition.proxy import BOTH


class Network:
    """The links between programs; see :mod:`.proxy` for what can be done to them."""

    def __init__(self, folder: Path) -> None:
        with (folder / "proxy.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.longrun.partition.proxy"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.names: list[str] = []

    def open(self, name: str, listen: str, target: str) -> None:
        """Open a link: what connects to one ``host:port`` is connected to another."""
        self._tell("open", [name], listen=listen, target=target)
        self.names.append(name)

    def hold(self, *names: str, directions: Sequence[str] = BOTH) -> None:
        """Let nothing pass, until :meth:`heal`."""
        self._tell("hold", names, directions=directions)

    def freeze(self, *names: str) -> None:
        """Make all connections half-open; new ones pass."""
        self._tell("freeze", names)

    def delay(self, seconds: float, *names: str) -> None:
        """Let all pass so much later."""
        self._tell("delay", names, seconds=seconds)

    def cut(self, *names: str) -> None:
        """Reset all connections."""
        self._tell("cut", names)

    def refuse(self, *names: str) -> None:
        """Reset all connections, and refuse new ones."""
        self._tell("refuse", names)

    def heal(self, *names: str) -> None:
        """Let all pass again."""
        self._tell("pass", names)

    def made(self, *names: str) -> list[int]:
        """Return how many connections each link ever had."""
        return [int(each["made"]) for each in self._tell("status", names)]

    def last_made(self, *names: str) -> float:
        """Return when the last connection was made, by the monotonic clock."""
        return max(float(each["last_made"]) for each in self._tell("status", names))

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, do: str, links: Sequence[str], **more: object) -> Any:
        """Send a command, and wait until it is done."""
        assert self._process.stdin is not None and self._process.stdout is not None
        line = json.dumps({"do": do, "links": list(links), **more})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the proxy has ended"
        return json.loads(answer)
