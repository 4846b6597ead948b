"""Watches the servers while they are attacked: probe, memory, log, bystander."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from tests.bench.servers import ROOT
from tests.longrun.hostile.probe import own_part
from tests.longrun.hostile.servers import Servers

_MODULE = "tests.longrun.hostile."


class Wait(msgspec.Struct, frozen=True):
    """
    One request of the probe, in seconds.

    ``direct``, ``other`` and ``work`` are as in :func:`.probe.own_part`.
    """

    begin: float
    wait: float
    direct: float
    other: float
    work: float

    @property
    def own(self) -> float:
        """What the server itself made of the wait."""
        return own_part(self.wait, direct=self.direct, other=self.other, work=self.work)


class Child:
    """A process that prints lines until its input ends."""

    def __init__(self, module: str, *arguments: str, errors: Path) -> None:
        with errors.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE + module, *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def line(self, text: str) -> None:
        """Accept one line."""
        raise NotImplementedError

    def _read(self) -> None:
        """Read all lines."""
        assert self._process.stdout is not None
        for text in self._process.stdout:
            self.line(text)

    def end(self) -> None:
        """End its input, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()


class Probes(Child):
    """The probe's waits, by port."""

    def __init__(self, ports: dict[int, int], errors: Path) -> None:
        self.waits: dict[int, list[Wait]] = {port: [] for port in ports}
        named = [f"{port}:{pid}" for port, pid in ports.items()]
        super().__init__("probe", *named, errors=errors)

    def line(self, text: str) -> None:
        """Note a wait."""
        port, *numbers = text.split()
        self.waits[int(port)].append(Wait(*map(float, numbers)))


class Bystander(Child):
    """What the bystander said last."""

    def __init__(
        self, name_server: int, ledger: Path, errors: Path, *timeout: str
    ) -> None:
        self.seen: dict[str, int] = {}
        self.at = 0.0
        names = f"127.0.0.1:{name_server}"
        super().__init__("bystander", names, str(ledger), *timeout, errors=errors)

    def line(self, text: str) -> None:
        """Note its figures."""
        self.seen, self.at = json.loads(text), time.monotonic()

    def wait_for(self, more: int, patience: float = 30.0) -> bool:
        """Wait until so many more are acknowledged, and none is missing."""
        aim = self.seen.get("acknowledged", 0) + more
        until = time.monotonic() + patience
        while time.monotonic() < until:
            seen = self.seen
            # Those sent in the last moment are in flight to the consumer.
            if seen.get("acknowledged", 0) >= aim and seen["missing"] <= 4:
                return True
            time.sleep(0.05)
        return False


class Memory(threading.Thread):
    """
    How much memory the servers used at most.

    :ivar most: since the last :meth:`reset`, in bytes.
    """

    def __init__(self, servers: Servers) -> None:
        super().__init__(daemon=True)
        self._servers = servers
        self._ended = threading.Event()
        self.most = 0

    def reset(self) -> int:
        """Begin again; return what they use now."""
        self.most = self._servers.memory()
        return self.most

    def run(self) -> None:
        """Look twenty times a second."""
        while not self._ended.wait(0.05):
            try:
                self.most = max(self.most, self._servers.memory())
            except AssertionError:
                continue  # between two starts

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self.ident is not None:  # it was started
            self.join()
