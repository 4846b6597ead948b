"""
Pulls that wait for the disk: how many of one connection may do so at a time.

A consumer that catches up may ask for much at once. A few of its pulls wait for the
disk; the others stand in line here, in order, until one of those is answered and what
was answered before is read. So nobody fills the broker's memory with answers that lie
about, nor the store's queue of reads
(:mod:`rocketmq_tw.store.files.reads`) with their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred

#: Pulls of one connection that may wait for the disk.
LIMIT = 16

Again = Callable[[], Any]


class _Line(msgspec.Struct, eq=False):
    """The pulls of one connection: how many read, and those that wait to."""

    reading: int = 0
    waiting: deque[tuple[Again, Deferred[Any]]] = msgspec.field(default_factory=deque)


class ColdPulls:
    """
    The connections that have pulls waiting for the disk.

    ``lines`` is empty as long as all that is asked for is in memory.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.lines: dict[Any, _Line] = {}
        self._limit = limit

    def is_full(self, connection: Any) -> bool:
        """Return whether a connection's next pull has to stand in line."""
        line = self.lines.get(connection)
        return line is not None and line.reading >= self._limit

    def wait(self, connection: Any, pull: Again) -> Deferred[Any]:
        """Stand in line; fires with what ``pull`` gives, None once nobody is there."""
        done: Deferred[Any] = Deferred()
        self.lines[connection].waiting.append((pull, done))
        return done

    def count(self, connection: Any, reading: Deferred[Any]) -> Deferred[Any]:
        """Count a pull that began to read; give its Deferred back."""
        line = self.lines.setdefault(connection, _Line())
        line.reading += 1
        return reading.addBoth(self._ended, connection, line)

    def _ended(self, result: Any, connection: Any, line: _Line) -> Any:
        """Let the next go on, once the peer takes answers."""
        line.reading -= 1
        if line.waiting:
            connection.when_writable().addCallback(self._next, connection, line)
        else:
            self._forget(connection, line)
        return result

    def _next(self, _: object, connection: Any, line: _Line) -> None:
        """Carry the first in line out, as far as there is room; all, if it is warm."""
        while line.waiting and line.reading < self._limit:
            pull, done = line.waiting.popleft()
            if connection.is_connected:
                maybeDeferred(pull).chainDeferred(done)
            else:
                done.callback(None)
        self._forget(connection, line)

    def _forget(self, connection: Any, line: _Line) -> None:
        """Drop a line that is empty."""
        if not (line.reading or line.waiting) and self.lines.get(connection) is line:
            del self.lines[connection]
