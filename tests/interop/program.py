"""Programs that print JSON lines, and servers that stop on SIGTERM, as processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def wait_until(done: Callable[[], object], timeout: float, what: str) -> None:
    """
    Look every 50 ms until ``done()`` is true.

    :raises AssertionError: after ``timeout`` seconds.
    """
    end = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.05)


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Keep other processes of tests out while something is built in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Process:
    """A child process whose standard error goes to a file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.command = list(command)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=self._output(log),
                stderr=errors,
                env={**os.environ, **(environment or {})},
                cwd=directory,
            )

    def _output(self, log: Path) -> Any:
        return log.with_suffix(".out").open("ab")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, or ``None`` while it runs."""
        return self._process.poll()

    def wait_for_port(self, port: int, timeout: float = 60) -> None:
        """Wait until a port of this machine accepts connections."""

        def open_now() -> bool:
            assert self.status is None, f"{self.command[-3:]} ended: {self.tail()}"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(open_now, timeout, f"port {port}, see {self.log}")

    def terminate(self, timeout: float = 60) -> int:
        """Send SIGTERM and wait for the end; the exit status."""
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout)

    def kill(self) -> None:
        """End it at once, whatever its state."""
        if self.status is None:
            self._process.kill()
        self._process.wait(60)

    def tail(self, size: int = 2000) -> str:
        """Return the end of its log, for an assertion's message."""
        return self.log.read_text(errors="replace")[-size:]


class Program(Process):
    """A process that prints JSON lines and takes commands on its standard input."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._lines: list[dict[str, Any]] = []
        super().__init__(*arguments, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _output(self, log: Path) -> Any:
        return subprocess.PIPE

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self.log.with_suffix(".out").open("ab") as copy:
            for line in self._process.stdout:
                copy.write(line)
                copy.flush()
                if line.startswith(b"{"):
                    self._lines.append(json.loads(line))

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines with this ``event``, so far."""
        return [line for line in self._lines.copy() if line["event"] == name]

    @property
    def count(self) -> int:
        """How many lines were printed so far."""
        return len(self._lines)

    def wait_for(self, name: str, count: int = 1, timeout: float = 60) -> None:
        """Wait until ``count`` lines with this ``event`` were printed."""

        def enough() -> bool:
            if len(self.events(name)) >= count:
                return True
            assert self.status is None, f"ended with {self.status}: {self.tail()}"
            return False

        wait_until(enough, timeout, f"{count} {name} lines, see {self.log}")

    def ask(self, command: str, event: str = "", timeout: float = 60) -> dict[str, Any]:
        """Send a command; return the line printed in answer: ``event``, or its name."""
        event = event or command
        before = len(self.events(event))
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        self.wait_for(event, before + 1, timeout)
        return self.events(event)[before]

    def stop(self, timeout: float = 90) -> None:
        """Close its standard input and check that it ends with status 0."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.finish(timeout)

    def finish(self, timeout: float = 120) -> None:
        """Wait for its own end and check that its status is 0."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end in {timeout} s: {self.tail()}") from None
        self._reader.join(10)
        failed = self.events("failed")
        some = f"{len(failed)} failed, among them {failed[:3]}"
        assert status == 0, f"status {status}: {self.tail()} {some}"


def messages(*programs: Program) -> list[dict[str, Any]]:
    """Return the messages received by several consumers together."""
    return [line for program in programs for line in program.events("message")]


def wait_for_messages(
    programs: Iterable[Program], count: int, timeout: float, quiet: float = 1.0
) -> list[dict[str, Any]]:
    """
    Wait until consumers have ``count`` messages, then ``quiet`` seconds for more.

    :returns: all of them; there may be more than ``count``.
    """
    members = list(programs)
    end = time.monotonic() + timeout
    while (found := len(messages(*members))) < count:
        running = [member.tail() for member in members if member.status is not None]
        assert not running, f"a consumer ended: {running}"
        assert time.monotonic() < end, f"{found} of {count} after {timeout} s"
        time.sleep(0.1)
    time.sleep(quiet)
    return messages(*members)
