"""
One connection in memory: two transports, and the data between them.

Data written at one end reaches the other when the clock runs due calls, never inside
``write``. As with a socket, an end that does not read blocks the other: when more than
64 KiB are in flight, the writing producer is paused.
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

#: Bytes in flight above which a producer is paused, as in Twisted's transports.
_BUFFER = 64 * 1024


class LinkState(Enum):
    """What happens to data written to a connection."""

    #: It arrives.
    OPEN = "open"
    #: It waits, and arrives after the link is open again.
    CUT = "cut"
    #: It is lost without notice: a half-open connection.
    SILENT = "silent"


class _End(Enum):
    """How far one end of a connection is closed; it only moves to a later one."""

    OPEN = "data is sent and received"
    CLOSING = "it closes after the data in flight has arrived"
    ABORTING = "it closes without waiting for the data in flight"
    LOST = "it was notified of the loss without having closed"
    CLOSED = "it has closed"


class Link:
    """
    A connection between two hosts.

    :param here: the client's address, as ``host:port``.
    :param there: the server's address.
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
        """Whether at least one end is not notified of the connection's end."""
        return self.near.is_connected or self.far.is_connected

    @property
    def hosts(self) -> frozenset[str]:
        """Both hosts."""
        return frozenset((self.near.getHost().host, self.far.getHost().host))

    def set_state(self, state: LinkState) -> None:
        """Change what happens to data; a silent link stays silent."""
        if self.state is LinkState.SILENT:
            return
        self.state = state
        for end in (self.near, self.far):
            end.state_changed()

    def end_at(self, host: str) -> None:
        """
        End the connection at a host whose process died; the other end is notified.
        """
        for end in (self.near, self.far):
            if end.getHost().host == host:
                end.break_off(ConnectionLost())

    def reset(self) -> None:
        """Break the connection; both ends are notified."""
        for end in (self.near, self.far):
            end.break_off(ConnectionLost())


@implementer(ITCPTransport, IConsumer)
class MemoryTransport:
    """
    One end of a :class:`Link`.

    :ivar protocol: receives the data; None until the connection is accepted.
    :ivar inspect: takes the arriving bytes, and returns those for the protocol;
        None passes all on.
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
        #: The reason for the peer, after all data in flight has arrived; None: not
        #: closed.
        self._closed_with: Exception | None = None
        self._end = _End.OPEN
        self.protocol: Any = None
        self.producer: Any = None
        self.inspect: Callable[[bytes], bytes] | None = None
        self.peer: MemoryTransport = self

    @property
    def is_connected(self) -> bool:
        """Whether this end has not closed and was not notified of a loss."""
        return self._end not in (_End.LOST, _End.CLOSED)

    @property
    def disconnecting(self) -> bool:
        """Whether this end has begun to close; as in Twisted, a loss is no close."""
        return self._end not in (_End.OPEN, _End.LOST)

    def attach(self, protocol: Any) -> None:
        """Connect a protocol to this end; data that arrived before is delivered now."""
        self.protocol = protocol
        protocol.makeConnection(self)
        self.peer._schedule()

    # -- writing

    def write(self, data: bytes) -> None:
        """Send data; it arrives when the clock runs due calls."""
        if not data or self._end is not _End.OPEN:
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
        """Send data; it arrives when the clock runs due calls."""
        self.write(b"".join(data))

    def _schedule(self) -> None:
        """Schedule the delivery."""
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        """Deliver the data in flight, then close if that was requested."""
        self._scheduled = False
        open_now = self._link.state is LinkState.OPEN
        if open_now and self.peer.protocol is not None and self.peer._reading:
            data, self._size = b"".join(self._in_flight), 0
            self._in_flight.clear()
            if data and self.peer.is_connected:
                self.peer._receive(data)
            self._resume_producer()
        if self._end is _End.CLOSING:
            # As in a kernel, data in flight is sent even after the close.
            if not self._in_flight or not open_now:
                self.break_off(ConnectionDone())
        if self._closed_with is not None and open_now and not self._in_flight:
            if self.peer.protocol is not None:
                self.peer._lost(self._closed_with)

    def _receive(self, data: bytes) -> None:
        """Pass data on to the protocol."""
        if self.inspect is not None:
            data = self.inspect(data)
        if data:
            self.protocol.dataReceived(data)

    def _resume_producer(self) -> None:
        """Resume a paused producer, after all its data has arrived."""
        if self._producer_paused and not self._in_flight:
            self._producer_paused = False
            if self.producer is not None:
                self.producer.resumeProducing()

    # -- closing

    def loseConnection(self) -> None:  # noqa: N802
        """Close both ends after all data is delivered."""
        if self._end is _End.OPEN:
            self._end = _End.CLOSING
        self._schedule()

    def abortConnection(self) -> None:  # noqa: N802
        """Close both ends; data in flight is lost."""
        if self.is_connected:
            self._end = _End.ABORTING
        self._clear()
        self._clock.callLater(0, self.break_off, ConnectionAborted(), ConnectionLost())

    def break_off(self, reason: Exception, for_peer: Exception | None = None) -> None:
        """
        End the connection here; the peer is notified after the data in flight.

        :param reason: the reason for this end's protocol.
        :param for_peer: the reason for the other protocol, if different.
        """
        if self.is_connected:
            self._closed_with = for_peer or reason
            self._lost(reason)
            self._schedule()

    def _lost(self, reason: Exception) -> None:
        """Notify the protocol, once, that the connection is lost."""
        if self.is_connected:
            self._end = _End.CLOSED if self.disconnecting else _End.LOST
            self._clear_if_unsendable()
            if self.protocol is not None:
                self.protocol.connectionLost(Failure(reason))

    def _clear_if_unsendable(self) -> None:
        """Drop data in flight if no end is left to read it."""
        if not self.peer.is_connected:
            self._clear()

    def _clear(self) -> None:
        self._in_flight.clear()
        self._size = 0

    def state_changed(self) -> None:
        """Apply the link's new state."""
        if self._link.state is LinkState.SILENT:
            self._clear()
            self._resume_producer()
        if self._in_flight or self._closed_with is not None or self.disconnecting:
            self._schedule()

    # -- producers

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        """Pause this producer while too much data is in flight."""
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        """Pause no producer any more."""
        self.producer = None

    def pauseProducing(self) -> None:  # noqa: N802
        """Stop reading; the other end's data waits."""
        self._reading = False

    def resumeProducing(self) -> None:  # noqa: N802
        """Continue reading."""
        if not self._reading:
            self._reading = True
            self.peer._schedule()

    def stopProducing(self) -> None:  # noqa: N802
        """Close the connection."""
        self.loseConnection()

    # -- other methods of a TCP transport

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Close both directions: half-closing is not supported."""
        self.loseConnection()

    def getPeer(self) -> IPv4Address:  # noqa: N802
        """Return the other end's address."""
        return _address(self._there)

    def getHost(self) -> IPv4Address:  # noqa: N802
        """Return this end's address."""
        return _address(self._here)

    def getTcpNoDelay(self) -> bool:  # noqa: N802
        """Return True: data is never delayed."""
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Do nothing: data is never delayed."""

    def getTcpKeepAlive(self) -> bool:  # noqa: N802
        """Return False: a silent link is never detected by itself."""
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        """Do nothing: there is no keep-alive."""


def _address(text: str) -> IPv4Address:
    """Parse ``host:port``; the host may be any name."""
    host, _, port = text.rpartition(":")
    return IPv4Address("TCP", host, int(port))
