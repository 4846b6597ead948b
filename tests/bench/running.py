"""What all servers that are measured have in common."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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
