"""
Closes the connections that peers leave, a few in each reactor iteration.

To close a socket takes some 70 us, half of it in the kernel, and a connection may have
megabytes that nobody read. Twisted closes all that end in one iteration at a stretch:
2,000 peers that leave together would stop the others for 0.15 s.

So a few connections are closed at once, as before, and the others one after the other
in the next iterations. Until then they are neither read nor written. While many wait,
no new ones are accepted, as each still has its descriptor.

Source: none; Apache RocketMQ has several threads for its connections.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.logger import Logger
from twisted.python.failure import Failure

#: Connections that are closed at once in one iteration.
AT_ONCE = 10
#: Seconds of an iteration in which those are closed that wait, and how many of them at
#: most.
TIME, COUNT = 0.005, 100
#: So many waiting are many: no more connections are accepted.
MANY = 200


class Closings:
    """
    The connections that wait to be closed.

    :param on_many: called when :data:`MANY` wait.
    :param on_none: called after that, when none waits any more.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        *,
        on_many: Callable[[], None],
        on_none: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._on_many = on_many
        self._on_none = on_none
        self._waiting: deque[Callable[[], None]] = deque()
        # Unless an iteration is scheduled, none waits, and none was closed in this one.
        self._is_scheduled = False
        self._closed = 0
        self._are_many = False

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def may_close(self) -> bool:
        """Return whether a connection may be closed at once, and count it."""
        if self._waiting or self._closed >= AT_ONCE:
            return False
        self._closed += 1
        self._schedule()
        return True

    def add(self, close: Callable[[], None]) -> None:
        """Call a function, which closes a connection, after those that wait."""
        self._waiting.append(close)
        self._schedule()
        if len(self._waiting) >= MANY and not self._are_many:
            self._are_many = True
            self._on_many()

    def _schedule(self) -> None:
        """Look again in the next iteration."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.callLater(0, self._iterate)

    def _iterate(self) -> None:
        """Close what this iteration allows."""
        self._is_scheduled = False
        self._closed = 0
        until = self._clock.seconds() + TIME
        for _ in range(min(COUNT, len(self._waiting))):
            try:
                self._waiting.popleft()()
            except Exception:
                self._log.failure("a connection was not closed in order")
            if self._clock.seconds() >= until:
                break
        if self._waiting:
            self._schedule()
        elif self._are_many:
            self._are_many = False
            self._on_none()


class PacedServer(Server):
    """The server's end of a TCP connection, which waits to be closed if many are."""

    def __init__(
        self,
        closings: Closings,
        sock: socket.socket,
        protocol: Protocol,
        client: tuple[object, ...],
        server: Any,
        sessionno: int,
        reactor: Any,
    ) -> None:
        super().__init__(sock, protocol, client, server, sessionno, reactor)
        self._closings = closings
        self._waits = False

    def connectionLost(self, reason: Failure) -> None:
        """Close the socket and notify the protocol, now or in another iteration."""
        if self._waits or not hasattr(self, "socket"):
            return
        if self._closings.may_close():
            super().connectionLost(reason)
            return
        self._waits = True
        # What is written now is dropped, and nothing is read. The transport says so
        # itself only when it is closed.
        self.connected, self.disconnected = 0, 1
        self._closings.add(partial(super().connectionLost, reason))


def close_in_turn(port: Any, closings: Closings) -> None:
    """
    Let the connections of a port wait to be closed.

    :param port: of Twisted; one that makes other connections is left as it is.
    """
    if getattr(port, "transport", None) is Server:
        port.transport = partial(PacedServer, closings)
