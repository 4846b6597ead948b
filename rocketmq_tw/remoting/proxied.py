"""
Connections through a proxy that says in a header who the peer is (PROXY protocol).

The header comes before everything else, TLS included. A port whose endpoint string
begins with ``haproxy:`` wants it from everybody, since whoever sends it can claim any
address: only the proxy should be able to connect there. Peers have the address that is
in the header, for limits, white lists and log lines; one that the proxy does not know,
or that is its own loopback, is ``0.0.0.0:0``.

::

    PROXY TCP4 10.0.0.1 10.0.0.2 4000 10911 CR LF        version 1, at most 107 bytes

    signature 12 | 0x20 local, 0x21 proxied | family 1   version 2
    length of the rest 2 | addresses and ports | more

Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt; Apache RocketMQ's
``NettyRemotingServer.HandshakeHandler`` accepts a header on any connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.addresses import MAX_PORT, peer_address
from rocketmq_tw.remoting.peer_log import PeerLog

#: Seconds until the header has to be complete.
TIMEOUT = 10.0
#: Connections whose header is not complete.
MAX_WAITING = 1000
#: Bytes of a header. Version 2 may have more behind the addresses.
LONGEST_V1, LONGEST_V2 = 107, 4096

_V1 = b"PROXY "
_V2 = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEAD = 16

#: Bytes of the two addresses and ports of version 2, by family.
_FAMILIES = {0x11: 4, 0x21: 16}

Address = IPv4Address | IPv6Address

#: The address of a peer that the proxy does not know.
UNKNOWN = IPv4Address("TCP", "0.0.0.0", 0)


class BadProxyHeader(RocketMQError):
    """A connection does not begin with the header of a proxy."""


class ProxyHeader(msgspec.Struct, frozen=True):
    """
    What a proxy says.

    :ivar source: the address of the peer.
    :ivar size: the bytes of the header.
    """

    source: Address
    size: int


def parse_header(data: bytes) -> ProxyHeader | None:
    """
    Parse the beginning of a connection.

    :returns: None if more has to come.
    :raises BadProxyHeader: it is no header.
    """
    if data[: len(_V1)] == _V1[: len(data)]:
        return _parse_v1(data)
    if data[: len(_V2)] == _V2[: len(data)]:
        return _parse_v2(data)
    raise BadProxyHeader("it does not begin with the header of a proxy")


def _parse_v1(data: bytes) -> ProxyHeader | None:
    """Parse a line of text."""
    end = data.find(b"\r\n", 0, LONGEST_V1)
    if end < 0:
        if len(data) >= LONGEST_V1:
            raise BadProxyHeader(f"its proxy's header has over {LONGEST_V1} bytes")
        return None
    words = data[:end].decode("ascii", "replace").split(" ")
    if words[1] == "UNKNOWN":
        return ProxyHeader(UNKNOWN, end + 2)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise BadProxyHeader("its proxy's header is damaged")
    version = 4 if words[1] == "TCP4" else 6
    return ProxyHeader(_address(words[2], _port(words[4]), version), end + 2)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise BadProxyHeader("its proxy's header has no port")
    return int(text)


def _parse_v2(data: bytes) -> ProxyHeader | None:
    """Parse a binary header."""
    if len(data) < _V2_HEAD:
        return None
    command, family = data[12], data[13]
    size = _V2_HEAD + int.from_bytes(data[14:_V2_HEAD], "big")
    if command not in (0x20, 0x21) or size > LONGEST_V2:
        raise BadProxyHeader("its proxy's header is damaged, or too long")
    if len(data) < size:
        return None
    length = _FAMILIES.get(family)
    if command == 0x20 or length is None:
        return ProxyHeader(UNKNOWN, size)
    at = _V2_HEAD
    ports = at + 2 * length
    if ports + 4 > size:
        raise BadProxyHeader("its proxy's header is too short")
    port = int.from_bytes(data[ports : ports + 2], "big")
    source = _address(data[at : at + length], port, 4 if length == 4 else 6)
    return ProxyHeader(source, size)


def _address(host: str | bytes, port: int, version: int) -> Address:
    """
    Return an address; the loopback of the proxy's machine is not this one's.

    :raises BadProxyHeader: it is none of this version.
    """
    try:
        found = ip_address(host)
    except ValueError:
        found = None
    if found is None or found.version != version or port > MAX_PORT:
        raise BadProxyHeader("its proxy's header has no address")
    mapped = getattr(found, "ipv4_mapped", None)
    if found.is_loopback or (mapped is not None and mapped.is_loopback):
        return UNKNOWN
    kind: Any = IPv4Address if version == 4 else IPv6Address
    address: Address = kind("TCP", str(found), port)
    return address


@implementer(IProtocolFactory)
class ProxiedFactory:
    """
    Reads the headers of connections, then leaves them to the protocols of another.

    :param peers: logs whom it refuses.
    """

    noisy = False

    def __init__(
        self, factory: IProtocolFactory, clock: IReactorTime, peers: PeerLog
    ) -> None:
        self.factory = factory
        self.clock = clock
        self.peers = peers
        # At most MAX_WAITING.
        self.waiting: set[_Beginning] = set()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """Return what reads the header of one connection; None refuses it."""
        if len(self.waiting) >= MAX_WAITING:
            why = f"{MAX_WAITING} connections have sent no header of a proxy"
            self.peers.complain(peer_address(addr)[0], why)
            return None
        return _Beginning(self)

    def logPrefix(self) -> str:  # noqa: N802
        """Return what the log calls the port."""
        return f"{type(self.factory).__name__} (proxied)"

    def doStart(self) -> None:
        """The port is opened."""
        self.factory.doStart()

    def doStop(self) -> None:
        """The port is closed: connections that are not begun are, too."""
        for each in list(self.waiting):
            each.transport.abortConnection()
        self.factory.doStop()


class _Beginning(Protocol):
    """A connection until its header is complete."""

    transport: Any = None

    def __init__(self, port: ProxiedFactory) -> None:
        self._port = port
        self._received = b""
        self._timer: IDelayedCall | None = None
        # Gets what transports that are no sockets pass on even so.
        self._inner: Any = None

    def connectionMade(self) -> None:
        """Give the header a limited time."""
        self._port.waiting.add(self)
        late = partial(self._refuse, f"it sent no header of a proxy in {TIMEOUT:g} s")
        self._timer = self._port.clock.callLater(TIMEOUT, late)

    def dataReceived(self, data: bytes) -> None:
        """Parse what came; what is behind the header is the protocol's."""
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        if self not in self._port.waiting:
            return
        self._received += data
        try:
            header = parse_header(self._received)
        except BadProxyHeader as error:
            self._refuse(str(error))
            return
        if header is not None:
            rest, self._received = self._received[header.size :], b""
            self._forget()
            self._begin(header, rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The header will not come, or the peer is gone."""
        self._forget()
        if self._inner is not None:
            self._inner.connectionLost(reason)

    def _begin(self, header: ProxyHeader, rest: bytes) -> None:
        """Connect the protocol to the socket, which now has the peer's address."""
        inner: Any = self._port.factory.buildProtocol(header.source)
        if inner is None:
            self.transport.abortConnection()
            return
        transport = self.transport
        transport.getPeer = _returning(header.source)
        transport.protocol = inner
        self._inner = inner
        inner.makeConnection(transport)
        if rest:
            transport.protocol.dataReceived(rest)

    def _refuse(self, why: str) -> None:
        """Close, and log the reason."""
        self._forget()
        self._port.peers.complain(peer_address(self.transport.getPeer())[0], why)
        self.transport.abortConnection()

    def _forget(self) -> None:
        """Wait no more."""
        self._port.waiting.discard(self)
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


def _returning(address: Address) -> Callable[[], Address]:
    """Return a method of a transport."""
    return lambda: address
