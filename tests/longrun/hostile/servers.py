"""The programs under attack: both servers in one process, or in two."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.servers import ROOT, is_open
from tests.longrun.hostile.memory import anonymous_memory
from tests.ports import free_port

_TWISTD = str(Path(sys.executable).with_name("twistd"))
#: What differs between two lines of one kind: times, numbers, names.
_DIFFERS = re.compile(r"\d+|\"[^\"]*\"|'[^']*'|\[[^]]*\]")
_LONGEST_KIND = 60


class Program:
    """One process, and its log."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        command = [_TWISTD, "-n", "--pidfile=", *self._arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NAMESRV_ADDR": ""}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log
            )

    def end(self, by: signal.Signals) -> None:
        """End it, and wait."""
        if self._process is not None:
            self._process.send_signal(by)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise AssertionError(f"{self.log.stem} did not end by {by.name}")
            finally:
                self._process = None

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def memory(self) -> int:
        """Return the memory that only it uses, in bytes."""
        return anonymous_memory(self.pid)


class Servers:
    """
    A name server and a broker, on ports that stay the same after a restart.

    :param together: in one process (``twistd rocketmq``).
    :param options: further options of all programs.
    :ivar programs: the processes; the broker's is the last.
    """

    def __init__(self, folder: Path, together: bool, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.together = together
        self.broker, self.names = free_port(), free_port()
        broker, names = f"127.0.0.1:{self.broker}", f"127.0.0.1:{self.names}"
        own = ["-p", broker, "--advertise", "127.0.0.1", "-d", str(folder / "data")]
        own += options
        if together:
            both = Program(
                folder, "both", "rocketmq", *own, f"--namesrv-listen={names}"
            )
            self.programs = [both]
        else:
            lookup = ["rocketmq-namesrv", "-p", names, "--data", str(folder / "names")]
            lookup += options
            self.programs = [
                Program(folder, "names", *lookup),
                Program(folder, "broker", "rocketmq-broker", "-n", names, *own),
            ]

    def start(self, patience: float = 60.0) -> float:
        """Start them and wait until they listen; return the seconds it took."""
        begin = time.monotonic()
        for program in self.programs:
            program.start()
        while not (is_open(self.broker) and is_open(self.names)):
            for program in self.programs:
                assert program.is_running(), program.log.read_text()[-3000:]
            assert time.monotonic() - begin < patience, "the servers do not listen"
            time.sleep(0.01)
        return time.monotonic() - begin

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End them, the broker first."""
        for program in reversed(self.programs):
            program.end(by)

    def memory(self) -> int:
        """Return what both use, in bytes."""
        return sum(program.memory() for program in self.programs)

    def logs(self) -> dict[Path, int]:
        """Return the size of each log."""
        return {
            program.log: program.log.stat().st_size if program.log.exists() else 0
            for program in self.programs
        }

    def logged_since(self, before: dict[Path, int]) -> str:
        """Return what was logged after some sizes."""
        found = []
        for path, size in before.items():
            with path.open("rb") as log:
                log.seek(size)
                found.append(log.read().decode(errors="replace"))
        return "".join(found)


def kinds(text: str) -> dict[str, int]:
    """Count the lines of each kind: those that differ in numbers and names alone."""
    counted: dict[str, int] = {}
    for line in text.splitlines():
        kind = _DIFFERS.sub("#", line.partition("] ")[2] or line)[:_LONGEST_KIND]
        counted[kind] = counted.get(kind, 0) + 1
    return counted


def raise_descriptor_limit() -> None:
    """Let this process, and those that it starts, open as many files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
