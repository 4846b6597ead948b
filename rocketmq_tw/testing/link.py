"""
One connection in memory: two transports, and what lies between them.

What one end writes reaches the other when the clock runs what is due, so never inside
``write`` itself. As with a socket, an end that does not read holds the other up: past
64 KiB in flight the writing producer is paused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IReactorTime, ITCPTransport
from twisted.python.failure import Failure
from zope.interface import implementer

#: Bytes in flight beyond which a producer is paused, as in Twisted's transports.
_BUFFER = 64 * 1024


class LinkState(Enum):
    """What becomes of the bytes that are written to a connection."""

    #: They arrive.
    OPEN = "open"
    #: They wait, and arrive once the link is open again.
    CUT = "cut"
    #: They are lost, for ever and unnoticed: a half-open connection.
    SILENT = "silent"


class Link:
    """
    A connection between two hosts.

    :param here: the client's address, as ``host:port``.
    :param there: the server's.
    :ivar near: the client's end.
    :ivar far: the server's end.
    :ivar state: see :class:`LinkState`; set by :meth:`set_state`.
    """

    def __init__(self, clock: IReactorTime, here: str, there: str) -> None:
        self.state = LinkState.OPEN
        self.near = MemoryTransport(self, clock, here, there)
        self.far = MemoryTransport(self, clock, there, here)
        self.near.peer, self.far.peer = self.far, self.near

    @property
    def is_open(self) -> bool:
        """Whether one of the ends still believes that it is connected."""
        return self.near.is_connected or self.far.is_connected

    @property
    def hosts(self) -> frozenset[str]:
        """Both hosts."""
        return frozenset((self.near.getHost().host, self.far.getHost().host))

    def set_state(self, state: LinkState) -> None:
        """Change what becomes of bytes; a silent link stays silent."""
        if self.state is LinkState.SILENT:
            return
        self.state = state
        for end in (self.near, self.far):
            end.state_changed()

    def end_at(self, host: str) -> None:
        """End the connection at one host, whose process is gone; the other learns."""
        for end in (self.near, self.far):
            if end.getHost().host == host:
                end.break_off(ConnectionLost())

    def reset(self) -> None:
        """Break the connection: both ends learn that it is lost."""
        for end in (self.near, self.far):
            end.break_off(ConnectionLost())


@implementer(ITCPTransport, IConsumer)
class MemoryTransport:
    """
    One end of a :class:`Link`.

    :ivar protocol: what receives the bytes; None until the end is accepted.
    :ivar is_connected: whether this end has neither closed nor learnt of the loss.
    :ivar inspect: sees the bytes that arrive, and returns those that the protocol may
        have; None lets all pass.
    """

    def __init__(self, link: Link, clock: IReactorTime, here: str, there: str) -> None:
        self._link = link
        self._clock = clock
        self._here = here
        self._there = there
        self._in_flight: list[bytes] = []
        self._size = 0
        self._scheduled = False
        self._reading = True
        self._producer_paused = False
        #: What the peer will see once all in flight has arrived; None: not closed.
        self._closed_with: Exception | None = None
        self._aborting = False
        self.disconnecting = False
        self.is_connected = True
        self.protocol: Any = None
        self.producer: Any = None
        self.inspect: Callable[[bytes], bytes] | None = None
        self.peer: MemoryTransport = self

    def attach(self, protocol: Any) -> None:
        """Connect a protocol to this end; what came before reaches it now."""
        self.protocol = protocol
        protocol.makeConnection(self)
        self.peer._schedule()

    # -- writing

    def write(self, data: bytes) -> None:
        """Send bytes; they arrive when the clock runs what is due."""
        if not data or not self.is_connected or self.disconnecting:
            return
        if self._link.state is LinkState.SILENT:
            return
        self._in_flight.append(bytes(data))
        self._size += len(data)
        self._schedule()
        if self._size > _BUFFER and self.producer and not self._producer_paused:
            self._producer_paused = True
            self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802
        """Send bytes; they arrive when the clock runs what is due."""
        self.write(b"".join(data))

    def _schedule(self) -> None:
        """Deliver soon."""
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        """Let arrive what can, then close what was to be closed."""
        self._scheduled = False
        open_now = self._link.state is LinkState.OPEN
        if open_now and self.peer.protocol is not None and self.peer._reading:
            data, self._size = b"".join(self._in_flight), 0
            self._in_flight.clear()
            if data and self.peer.is_connected:
                self.peer._receive(data)
            self._resume_producer()
        if self.disconnecting and self.is_connected and not self._aborting:
            # A kernel takes what is in flight over, wherever it can go.
            if not self._in_flight or not open_now:
                self.break_off(ConnectionDone())
        if self._closed_with is not None and open_now and not self._in_flight:
            if self.peer.protocol is not None:
                self.peer._lost(self._closed_with)

    def _receive(self, data: bytes) -> None:
        """Pass what arrived on to the protocol."""
        if self.inspect is not None:
            data = self.inspect(data)
        if data:
            self.protocol.dataReceived(data)

    def _resume_producer(self) -> None:
        """Let a paused producer go on: all it wrote has arrived."""
        if self._producer_paused and not self._in_flight:
            self._producer_paused = False
            if self.producer is not None:
                self.producer.resumeProducing()

    # -- closing

    def loseConnection(self) -> None:  # noqa: N802
        """Close both ends once all is delivered."""
        self.disconnecting = True
        self._schedule()

    def abortConnection(self) -> None:  # noqa: N802
        """Close both ends; what is in flight is lost."""
        self.disconnecting = self._aborting = True
        self._clear()
        self._clock.callLater(0, self.break_off, ConnectionAborted(), ConnectionLost())

    def break_off(self, reason: Exception, for_peer: Exception | None = None) -> None:
        """
        End the connection here; the peer learns of it after what is in flight.

        :param reason: what the protocol of this end is given.
        :param for_peer: what the other's is given, if not the same.
        """
        if self.is_connected:
            self._closed_with = for_peer or reason
            self._lost(reason)
            self._schedule()

    def _lost(self, reason: Exception) -> None:
        """Tell the protocol, once, that the connection is over."""
        if self.is_connected:
            self.is_connected = False
            self._clear_if_unsendable()
            if self.protocol is not None:
                self.protocol.connectionLost(Failure(reason))

    def _clear_if_unsendable(self) -> None:
        """Drop what is in flight where nobody is left to read it."""
        if not self.peer.is_connected:
            self._clear()

    def _clear(self) -> None:
        self._in_flight.clear()
        self._size = 0

    def state_changed(self) -> None:
        """Act upon the link's new state."""
        if self._link.state is LinkState.SILENT:
            self._clear()
            self._resume_producer()
        if self._in_flight or self._closed_with is not None or self.disconnecting:
            self._schedule()

    # -- producers

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        """Pause this producer while too much is in flight."""
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        """Pause nobody any more."""
        self.producer = None

    def pauseProducing(self) -> None:  # noqa: N802
        """Read no more; the other end's bytes wait."""
        self._reading = False

    def resumeProducing(self) -> None:  # noqa: N802
        """Read again."""
        if not self._reading:
            self._reading = True
            self.peer._schedule()

    def stopProducing(self) -> None:  # noqa: N802
        """Close."""
        self.loseConnection()

    # -- what else a TCP transport offers

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Half-closing is not supported: close."""
        self.loseConnection()

    def getPeer(self) -> IPv4Address:  # noqa: N802
        """Return the other end's address."""
        return _address(self._there)

    def getHost(self) -> IPv4Address:  # noqa: N802
        """Return this end's address."""
        return _address(self._here)

    def getTcpNoDelay(self) -> bool:  # noqa: N802
        """Nothing is ever delayed."""
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Nothing is ever delayed."""

    def getTcpKeepAlive(self) -> bool:  # noqa: N802
        """There is no keep-alive: a silent link is never noticed by itself."""
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        """There is no keep-alive."""


def _address(text: str) -> IPv4Address:
    """Read ``host:port``; the host may be any name."""
    host, _, port = text.rpartition(":")
    return IPv4Address("TCP", host, int(port))
