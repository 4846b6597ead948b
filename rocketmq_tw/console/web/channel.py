"""The connections of browsers: how many, and for how long they may keep us waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.web.request import ConsoleRequest, Handler
from rocketmq_tw.remoting.addresses import peer_address
from rocketmq_tw.remoting.peer_log import PeerLog


class ConsoleChannel(HTTPChannel):
    """
    One connection. A request has to arrive within a time, however slowly it trickles.

    :ivar on_lost: called with the channel when the connection is lost.
    :ivar peers: logs why a connection was closed.
    """

    maxHeaders = 64
    transport: Any
    request_timeout = 20.0
    on_lost: Callable[[ConsoleChannel], None] | None = None
    peers: PeerLog | None = None
    _deadline: IDelayedCall | None = None
    _is_responding = False

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock

    def callLater(self, period: float, function: Callable[[], object]) -> IDelayedCall:
        """Schedule the time-outs of the base class, too, on the given clock."""
        return self._clock.callLater(period, function)

    def connectionMade(self) -> None:
        """A request is awaited."""
        super().connectionMade()
        self._await_request()

    def use_transport(self, transport: Any) -> None:
        """Write to this transport from now on: one with TLS over the first."""
        self.transport = self._networkProducer = transport
        transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Take a part of a request."""
        if self._deadline is None and not self._is_responding:
            self._await_request()
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        """A request is complete."""
        self._is_responding = True
        self._stop_waiting()
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """A response is complete."""
        self._is_responding = False
        super().requestDone(request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The browser has gone."""
        self._stop_waiting()
        super().connectionLost(reason)
        if self.on_lost is not None:
            self.on_lost(self)

    def abort(self) -> None:
        """Close at once."""
        self._stop_waiting()
        self.transport.abortConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        """The address of a request, or a header, is over 16 KiB long."""
        self._complain("a line of its request is over 16 KiB long")
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.loseConnection()

    def _complain(self, why: str) -> None:
        """Log why this connection is closed."""
        if self.peers is not None:
            self.peers.complain(peer_address(self.transport.getPeer())[0], why)

    def _await_request(self) -> None:
        """Close the connection if no request has arrived after the time."""
        self._deadline = self.callLater(self.request_timeout, self._too_slow)

    def _stop_waiting(self) -> None:
        """A request has arrived, or will not."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None and deadline.active():
            deadline.cancel()

    def _too_slow(self) -> None:
        """Close the connection."""
        self._deadline = None
        self.transport.abortConnection()


class ConsoleFactory(ServerFactory):
    """
    Makes the connections, up to a number.

    :param handler: responds to the requests.
    :ivar refused: how many connections were refused.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        config: ConsoleConfig,
        handler: Handler,
        peers: PeerLog,
    ) -> None:
        self.handler = handler
        self._clock = clock
        self._config = config
        self._peers = peers
        # At most max_connections.
        self._channels: set[ConsoleChannel] = set()
        self._is_closed = False
        self.refused = 0

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self._channels)

    def buildProtocol(self, addr: IAddress | None) -> ConsoleChannel | None:
        """Return the protocol of a connection; None refuses it."""
        if self._is_closed:
            return None
        if len(self._channels) >= self._config.max_connections:
            self.refused += 1
            self._peers.complain(
                peer_address(addr)[0],
                f"the console has {len(self._channels)} connections, as many as"
                " maxConsoleConnections lets",
            )
            return None
        channel = ConsoleChannel(self._clock)
        channel.factory = self
        channel.requestFactory = ConsoleRequest
        channel.timeOut = int(self._config.idle_timeout)
        channel.request_timeout = self._config.request_timeout
        channel.on_lost = self._channels.discard
        channel.peers = self._peers
        self._channels.add(channel)
        return channel

    def log(self, request: Any) -> None:
        """Write nothing: requests that are refused are logged where they are."""

    def close_all(self) -> None:
        """Close all connections, and accept no more."""
        self._is_closed = True
        for channel in list(self._channels):
            channel.abort()
