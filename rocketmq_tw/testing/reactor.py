"""
The reactor of one host of a :class:`~rocketmq_tw.testing.network.MemoryNetwork`.

It offers what the services of this package use: the time, TCP, and threads. All hosts
share one clock, but a reactor knows its own delayed calls, so that a host can be shut
down as by ``kill -9``: then none of them runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.base import BaseConnector, DelayedCall
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import (
    IDelayedCall,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.clock import wall_time
from rocketmq_tw.testing.threads import ManualThreads, ThreadPoolDouble

if TYPE_CHECKING:
    from rocketmq_tw.testing.network import MemoryNetwork, MemoryPort

#: The addresses by which a host reaches itself.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@implementer(IReactorTime, IReactorTCP)
class MemoryReactor:
    """
    The reactor of one host's programs.

    :param network: the network of its ports and connections.
    :param host: the host's address.
    :param threads: runs blocking calls.
    :ivar is_down: whether the host was shut down: it makes no connection, and nothing
        that is scheduled runs.
    """

    def __init__(
        self, network: MemoryNetwork, host: str, threads: ManualThreads
    ) -> None:
        self._network = network
        self._clock = network.clock
        self._wall_time = wall_time(network.clock)
        self._calls: list[DelayedCall] = []
        self.host = host
        self.threads = threads
        self.is_down = False
        self.running = True

    def __repr__(self) -> str:
        return f"<MemoryReactor of {self.host}>"

    # -- time

    def seconds(self) -> float:
        """Return the time of the clock that all hosts share."""
        return self._clock.seconds()

    def wall_seconds(self) -> float:
        """Return that clock's time of day."""
        return self._wall_time()

    def callLater(  # noqa: N802
        self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any
    ) -> DelayedCall:
        """Schedule a call; on a host that is down it never runs."""
        if self.is_down:
            due = self.seconds() + delay
            return DelayedCall(due, callable, args, kw, _ignore, _ignore, self.seconds)
        call = self._clock.callLater(delay, callable, *args, **kw)
        assert isinstance(call, DelayedCall)
        self._calls.append(call)
        if len(self._calls) > 2 * self._calls_kept:
            self.getDelayedCalls()
        return call

    #: How many calls were scheduled when finished ones were last removed.
    _calls_kept = 64

    def getDelayedCalls(self) -> list[DelayedCall]:  # noqa: N802
        """Return the calls that this host has scheduled."""
        self._calls = [call for call in self._calls if call.active()]
        self._calls_kept = max(64, len(self._calls))
        return list(self._calls)

    # -- TCP

    def listenTCP(  # noqa: N802
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> MemoryPort:
        """
        Listen on a port of this host, whatever the interface.

        :raises CannotListenError: the port is in use.
        """
        from rocketmq_tw.testing.network import MemoryPort

        address = f"{self.host}:{port}"
        made = MemoryPort(self._network, address, factory, interface)
        made.startListening()
        return made

    def connectTCP(  # noqa: N802
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,  # noqa: N803
    ) -> BaseConnector:
        """Connect to a port of another host, or of this one."""
        address = f"{self.host if host in _LOOPBACK else host}:{port}"
        connector = _Connector(self, self._network, address, factory, timeout)
        connector.connect()
        if self.is_down and connector.transport is not None:
            connector.transport.failIfNotConnected(ConnectionRefusedError("down"))
        return connector

    # -- threads

    def getThreadPool(self) -> ThreadPoolDouble:  # noqa: N802
        """Return a thread pool that the test controls."""
        return ThreadPoolDouble(self.threads)

    def callFromThread(  # noqa: N802
        self, callable: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """Call at once: there are no other threads."""
        callable(*args, **kwargs)

    # -- the end

    def shut_down(self) -> None:
        """End all programs of the host at once, like a power cut or a kill."""
        self.is_down = True
        self.running = False
        for call in self.getDelayedCalls():
            # Removed, not cancelled: a service may cancel its own calls while it stops.
            self._clock.calls.remove(call)
            call.canceller = _ignore
        self._network.remove_host(self.host)


class _Connector(BaseConnector):
    """Makes one connection, using Twisted's base class."""

    def __init__(
        self,
        reactor: Any,
        network: MemoryNetwork,
        address: str,
        factory: Any,
        timeout: float,
    ) -> None:
        super().__init__(factory, timeout, reactor)
        self._network = network
        self._address = address

    def _makeTransport(self) -> Any:  # noqa: N802
        """Start to connect."""
        return _Attempt(self, self.reactor, self._network, self._address)

    def getDestination(self) -> IPv4Address:  # noqa: N802
        """Return the address that it connects to."""
        host, _, port = self._address.rpartition(":")
        return IPv4Address("TCP", host, int(port))


class _Attempt:
    """One attempt to connect, then the client's end of the connection."""

    def __init__(
        self,
        connector: _Connector,
        reactor: Any,
        network: MemoryNetwork,
        address: str,
    ) -> None:
        self._connector = connector
        self._reactor: MemoryReactor = reactor
        self._network = network
        self._address = address
        self._transport: Any = None
        network.attempts.append(address)
        self._call: IDelayedCall | None = reactor.callLater(0, self._connect)

    def _connect(self) -> None:
        """Connect; if packets do not pass, wait for the timeout."""
        self._call = None
        here, there = self._reactor.host, self._address.rpartition(":")[0]
        if not self._network.is_reachable(here, there):
            return
        link = self._network.connect(here, self._address)
        if link is None:
            reason = ConnectionRefusedError(f"no port listens at {self._address}")
            self.failIfNotConnected(reason)
            return
        self._transport = link.near
        protocol = self._connector.buildProtocol(link.near.getPeer())
        self._network.accept(link, self._address)
        if protocol is None:
            link.near.abortConnection()
        else:
            link.near.attach(protocol)

    def failIfNotConnected(self, reason: Exception) -> None:  # noqa: N802
        """Cancel the attempt."""
        if self._transport is not None:
            return
        if self._call is not None:
            self._call.cancel()
            self._call = None
        connector = self._connector
        if connector.transport is not None:
            connector.connectionFailed(Failure(reason))

    def loseConnection(self) -> None:  # noqa: N802
        """Close the connection."""
        self._transport.loseConnection()


def _ignore(_call: object) -> None:
    """Do nothing."""
