"""
A network in memory.

Servers listen under addresses, endpoints connect to them, bytes travel by way of the
clock: ``clock.advance(0)`` delivers all that is on its way, and what follows from it::

    clock, network = Clock(), MemoryNetwork(clock)
    network.listen("ns:9876", RemotingServerFactory(router, clock))
    pool = ConnectionPool(clock, endpoint_for=network.endpoint)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
)
from twisted.internet.interfaces import (
    IConsumer,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(ITransport, IConsumer)
class MemoryTransport:
    """
    One end of a connection.

    :ivar written: all bytes that this end wrote.
    """

    def __init__(self, clock: IReactorTime, here: str, there: str) -> None:
        self._clock = clock
        self._here = here
        self._there = there
        self._on_way: list[bytes] = []
        self._open = True
        self._leaving = False
        self._deaf = False
        self.protocol: Any = None
        self.peer: MemoryTransport | None = None
        self.producer: Any = None
        self.written = b""

    def write(self, data: bytes) -> None:
        """Send bytes on their way."""
        if not self._open or self._leaving:
            return
        self.written += data
        if self._deaf:
            return
        self._on_way.append(data)
        if len(self._on_way) == 1:
            self._clock.callLater(0, self._deliver)

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802
        """Send bytes on their way."""
        self.write(b"".join(data))

    def _deliver(self) -> None:
        """Hand over what is on its way."""
        on_way, self._on_way = b"".join(self._on_way), []
        if on_way and self.peer is not None and self.peer._open:
            self.peer.protocol.dataReceived(on_way)

    def loseConnection(self) -> None:  # noqa: N802
        """Close both ends once all is delivered."""
        self._leaving = True
        self._clock.callLater(0, self._close, ConnectionDone())

    def abortConnection(self) -> None:  # noqa: N802
        """Close both ends; what is on its way is lost."""
        self._on_way.clear()
        self._clock.callLater(0, self._close, ConnectionLost())

    def go_silent(self) -> None:
        """Vanish: this end takes what is written, and nothing arrives any more."""
        self._deaf = True

    def _close(self, reason: Exception) -> None:
        """Tell both protocols, once; a peer of a vanished end learns nothing."""
        for end in (self, self.peer):
            if end is None or not end._open or (self._deaf and end is self.peer):
                continue
            end._open = False
            end.protocol.connectionLost(Failure(reason))

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        """Keep who can be paused; tests pause it."""
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        """Forget who can be paused."""
        self.producer = None

    def pauseProducing(self) -> None:  # noqa: N802
        """Go on: nothing is ever delivered unasked."""

    def resumeProducing(self) -> None:  # noqa: N802
        """Go on."""

    def getPeer(self) -> IPv4Address:  # noqa: N802
        """Tell where the other end is."""
        return _address(self._there)

    def getHost(self) -> IPv4Address:  # noqa: N802
        """Tell where this end is."""
        return _address(self._here)


def _address(text: str) -> IPv4Address:
    """Read ``host:port``; the host may be any name."""
    host, _, port = text.rpartition(":")
    return IPv4Address("TCP", host, int(port))


class MemoryNetwork:
    """
    Addresses, and who listens there.

    :ivar attempts: every address that was connected to, in order.
    :ivar hanging: addresses that neither accept nor refuse.
    :ivar links: both ends of every connection made: (client's, server's).
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._listening: dict[str, Factory] = {}
        self.attempts: list[str] = []
        self.hanging: set[str] = set()
        self.links: list[tuple[MemoryTransport, MemoryTransport]] = []

    def listen(self, address: str, factory: Factory) -> None:
        """Accept connections to an address."""
        self._listening[address] = factory

    def silence(self, address: str) -> None:
        """Refuse connections to an address from now on."""
        self._listening.pop(address, None)

    def endpoint(self, address: str) -> MemoryEndpoint:
        """Make the endpoint that connects to an address."""
        return MemoryEndpoint(self, address)

    def connect(self, address: str, factory: Factory) -> Deferred[IProtocol]:
        """Connect; the connection is there at once, unless it is refused."""
        self.attempts.append(address)
        if address in self.hanging:
            return Deferred()
        server = self._listening.get(address)
        if server is None:
            return fail(ConnectionRefusedError(f"nobody listens at {address}"))
        number = 50000 + len(self.links)
        near = MemoryTransport(self._clock, f"10.0.0.9:{number}", address)
        far = MemoryTransport(self._clock, address, f"10.0.0.9:{number}")
        near.peer, far.peer = far, near
        self.links.append((near, far))
        far.protocol = server.buildProtocol(near.getHost())
        near.protocol = factory.buildProtocol(far.getHost())
        far.protocol.makeConnection(far)
        near.protocol.makeConnection(near)
        return succeed(near.protocol)


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects to one address of a :class:`MemoryNetwork`."""

    def __init__(self, network: MemoryNetwork, address: str) -> None:
        self._network = network
        self._address = address

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        return self._network.connect(self._address, factory)  # type: ignore[arg-type]
