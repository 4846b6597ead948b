"""
Connections within one process, from a client to a server in the same program.

They are a pair of sockets that nobody else can reach. A broker reaches the name server
of its own program by them where that accepts TLS: so it needs neither an authority to
trust, nor a certificate that is for the loopback address, nor one of its own. The
console reaches both servers of its program so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from socket import socketpair
from typing import Any, Protocol

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.unix import Server
from zope.interface import implementer


class OwnServer(Protocol):
    """
    A server of this process.

    :ivar factory: makes its protocols.
    :ivar is_open: whether it accepts connections.
    """

    @property
    def factory(self) -> IProtocolFactory:
        """See above; it may be another one after a restart."""

    @property
    def is_open(self) -> bool:
        """See above."""


class OwnServers:
    """
    The servers of this process, by the addresses under which others know them.

    A broker knows its address only once its port is open, so addresses are asked for
    when a connection is made.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        # A name server and a broker, at most.
        self._servers: list[tuple[Callable[[], str], OwnServer]] = []

    def add(self, address: Callable[[], str], server: OwnServer) -> None:
        """Add a server; its address is empty while it has none."""
        self._servers.append((address, server))

    def get(self, address: str) -> IStreamClientEndpoint | None:
        """Return how a server is reached; None if it is not in this process."""
        for known, server in self._servers:
            if known() == address:
                return InProcessEndpoint(
                    self._reactor, server.factory, partial(_is_open, server)
                )
        return None


def _is_open(server: OwnServer) -> bool:
    """Return whether a server accepts connections now."""
    return server.is_open


@implementer(IStreamClientEndpoint)
class InProcessEndpoint:
    """
    Connects to a server in this process.

    :param factory: makes the server's protocols.
    :param is_open: whether the server accepts connections.
    """

    def __init__(
        self, reactor: Any, factory: IProtocolFactory, is_open: Callable[[], bool]
    ) -> None:
        self._reactor = reactor
        self._factory = factory
        self._is_open = is_open

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Make a connection.

        :returns: the client's protocol; fails if the server accepts no connections.
        """
        address = UNIXAddress(None)
        server = self._factory.buildProtocol(address) if self._is_open() else None
        if server is None:
            return fail(ConnectionRefusedError("the server accepts no connections"))
        client = factory.buildProtocol(address)
        assert client is not None, "a client's factory makes a protocol"
        for protocol, end in zip((server, client), socketpair(), strict=True):
            end.setblocking(False)
            protocol.makeConnection(Server(end, protocol, "", None, 0, self._reactor))
        return succeed(client)
