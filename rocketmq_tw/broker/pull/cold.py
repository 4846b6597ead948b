"""
Limits how many pulls of one connection may wait for the disk.

A consumer that catches up may send many pulls at once. A few of them may wait for the
disk; the others wait here, in order, until one of those has its response and the peer
has read the earlier responses. So no client can fill the broker's memory with responses
that it does not read, nor the store's queue of reads
(:mod:`rocketmq_tw.store.files.reads`) with its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.remoting.call import Peer

#: Pulls of one connection that may wait for the disk at the same time.
LIMIT = 16

Pull = Callable[[], Any]


class _Line(msgspec.Struct, eq=False):
    """The pulls of one connection: how many are reading, and those that wait."""

    reading: int = 0
    waiting: deque[tuple[Pull, Deferred[Any]]] = msgspec.field(default_factory=deque)


class ColdPulls:
    """
    The connections with pulls that wait for the disk.

    ``lines`` is empty while all requested records are in memory.

    :param max_waiting: how many pulls may wait for a permit, of all connections.
    :ivar waiting: how many wait.
    :ivar refused: how many could not since the start.
    """

    def __init__(self, limit: int = LIMIT, max_waiting: int = 100_000) -> None:
        self.lines: dict[Peer, _Line] = {}
        self._limit = limit
        self._max_waiting = max_waiting
        self.waiting = 0
        self.refused = 0

    def must_wait(self, peer: Peer) -> bool:
        """Return whether the next pull of a peer has to wait."""
        line = self.lines.get(peer)
        return line is not None and line.reading >= self._limit

    def wait(self, peer: Peer, pull: Pull) -> Deferred[Any]:
        """
        Wait for a permit; fires with the result of ``pull``, None if the peer left.

        :raises TooManyHeldPulls: as many wait as may.
        """
        if self.waiting >= self._max_waiting:
            self.refused += 1
            raise TooManyHeldPulls("maxColdPulls", self._max_waiting)
        self.waiting += 1
        done: Deferred[Any] = Deferred()
        self.lines[peer].waiting.append((pull, done))
        return done

    def count(self, peer: Peer, reading: Deferred[Any]) -> Deferred[Any]:
        """Count a pull that reads from disk. :returns: its Deferred."""
        line = self.lines.setdefault(peer, _Line())
        line.reading += 1
        return reading.addBoth(self._ended, peer, line)

    def _ended(self, result: Any, peer: Peer, line: _Line) -> Any:
        """Pass the permit to the next pull, once the peer has read its responses."""
        line.reading -= 1
        if line.waiting:
            peer.when_writable().addCallback(self._next, peer, line)
        else:
            self._forget(peer, line)
        return result

    def _next(self, _: object, peer: Peer, line: _Line) -> None:
        """Run the oldest waiting pulls, as many as permits allow."""
        while line.waiting and line.reading < self._limit:
            pull, done = line.waiting.popleft()
            self.waiting -= 1
            if peer.is_connected:
                maybeDeferred(pull).chainDeferred(done)
            else:
                done.callback(None)
        self._forget(peer, line)

    def _forget(self, peer: Peer, line: _Line) -> None:
        """Remove the line of a connection without pulls."""
        if not (line.reading or line.waiting) and self.lines.get(peer) is line:
            del self.lines[peer]
