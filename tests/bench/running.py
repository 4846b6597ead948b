"""What all servers that are measured have in common."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar


class Running(Protocol):
    """A server that listens."""

    port: int
    name_server: str
    started_in: float

    @property
    def pid(self) -> int:
        """The process id of the broker."""

    def stop(self) -> None:
        """End it."""


R = TypeVar("R", bound=Running)


@contextmanager
def stopping(server: R) -> Iterator[R]:
    """Stop a server at the end."""
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder that is removed at the end, also while a server still writes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def alone(servers: Mapping[str, Running], name: str) -> Iterator[None]:
    """
    Suspend the other servers while one is measured.

    Apache's broker of 5.5.1 takes a tenth of a processor once there was a timed
    message, and most of one after its first transaction, whether it has something to do
    or not.
    """
    others = [server.pid for key, server in servers.items() if key != name]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
