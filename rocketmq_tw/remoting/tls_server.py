"""
The server's end of TLS, and plain connections on the same port.

The first byte of a connection decides: a TLS handshake begins with 0x16, no frame does,
as it would be too long::

    FIRST BYTE   plain              the protocol's, as if it had been so from the start
                 0x16               HELLO
                 plain, enforcing   closed, with one line
    HELLO        all of it came     WAITS, until the handshake may begin
    WAITS        its turn           HANDSHAKE
    HANDSHAKE    complete           the protocol's, over a TlsTransport
    any          too slow, failed   closed, with one line

A protocol that is served so has a method ``use_transport``.

Source: ``NettyRemotingServer.TlsModeHandler`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.remoting.addresses import peer_address
from rocketmq_tw.remoting.buffers import BufferBudget, HeldBytes
from rocketmq_tw.remoting.handshakes import Handshakes
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.tls_records import Records
from rocketmq_tw.remoting.tls_transport import TlsTransport, handshake_step
from rocketmq_tw.tls.explain import handshake_problem
from rocketmq_tw.tls.settings import ServerMode

#: The first byte of a handshake.
HANDSHAKE = 0x16
#: Bytes before the message in a record of TLS.
_RECORD_HEAD = 5
#: Bytes of the first message, at most; the usual ones have 200 to 2,000.
LONGEST_HELLO = 8192


class TlsPort:
    """
    How the connections of a server begin.

    :param new_connection: returns OpenSSL's side of a connection.
    :param mode: permissive or enforcing.
    :param budget: counts bytes of handshakes that are not complete.
    :ivar refused_plain: how many plain connections were refused.
    """

    def __init__(
        self,
        *,
        new_connection: Callable[[], SSL.Connection],
        mode: ServerMode,
        handshakes: Handshakes,
        peers: PeerLog,
        budget: BufferBudget | None = None,
    ) -> None:
        self.new_connection = new_connection
        self.handshakes = handshakes
        self.accepts_plain = mode is not ServerMode.ENFORCING
        self.peers = peers
        self.budget = budget or BufferBudget()
        self.refused_plain = 0

    def around(self, factory: IProtocolFactory) -> IProtocolFactory:
        """Return a factory that lets the first byte decide, before another's."""
        return _Factory(self, factory)


@implementer(IProtocolFactory)
class _Factory:
    """Makes the beginnings of connections."""

    noisy = False

    def __init__(self, port: TlsPort, factory: IProtocolFactory) -> None:
        self._port = port
        self._factory = factory

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """Return the beginning of a connection; None refuses it."""
        inner = self._factory.buildProtocol(addr)
        return None if inner is None else Beginning(self._port, inner)

    def logPrefix(self) -> str:  # noqa: N802
        """Return what the log calls the port."""
        return f"{type(self._factory).__name__} (TLS)"

    def doStart(self) -> None:
        """The port is opened."""
        self._factory.doStart()

    def doStop(self) -> None:
        """The port is closed."""
        self._factory.doStop()


class Beginning(Protocol):
    """
    A connection until it is known to be plain, or its handshake is complete.

    The protocol is connected from the start, to the socket's transport: closing idle
    connections, and all at the end, need not know of TLS.

    :ivar host: the peer's, for the limit of each address.
    """

    _log = Logger()
    transport: Any = None

    def __init__(self, port: TlsPort, inner: Any) -> None:
        self._port = port
        self._inner = inner
        self._is_open = True
        # What came and is not passed to OpenSSL yet.
        self._received = b""
        # None before HANDSHAKE.
        self._connection: SSL.Connection | None = None
        self._records = Records()
        self._is_waiting = False
        self._held: HeldBytes | None = None
        self.host = ""

    def connectionMade(self) -> None:
        """Connect the protocol; it receives nothing yet."""
        self.host = getattr(self.transport.getPeer(), "host", "")
        self._inner.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Take the first byte, or more of the handshake."""
        if not self._is_open:
            return
        if self._held is None:
            if data[0] != HANDSHAKE:
                self._plain(data)
                return
            self._held = HeldBytes(self._port.budget, self.refuse)
            self._port.handshakes.add(self)
        self._received += data
        self._held.set_read(len(self._received), 0)
        if self._is_waiting:
            # Reading is paused, but a little more may come.
            self._check_size()
        elif self._connection is not None:
            self.transport.pauseProducing()
            self._port.handshakes.received(self)
        elif self._check_size() and self._has_hello():
            self._is_waiting = True
            self.transport.pauseProducing()
            self._port.handshakes.begin(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the handshake, and notify the protocol."""
        self._close()
        self._inner.connectionLost(reason)

    def step(self) -> None:
        """Continue the handshake with what was received."""
        if not self._is_open:
            return
        self._is_waiting = False
        connection = self._connection
        if connection is None:
            connection = self._connection = self._port.new_connection()
        connection.bio_write(self._received)
        count = self._records.feed(self._received)
        self._received = b""
        self._hold(0)
        try:
            is_complete = handshake_step(connection, self.transport)
        except SSL.Error as error:
            self._fail(handshake_problem(error))
            return
        self.transport.resumeProducing()
        if is_complete:
            self._complete(connection, count)

    def refuse(self, why: str) -> None:
        """Close now, and log the reason."""
        if self._is_open:
            self._complain(why)
            self.transport.abortConnection()

    def _plain(self, data: bytes) -> None:
        """Leave the connection to the protocol, or refuse it."""
        if not self._port.accepts_plain:
            self._port.refused_plain += 1
            self._fail("it does not use TLS, and tls.server.mode is enforcing")
            return
        self._is_open = False
        self._replace_by(self._inner)
        self._inner.dataReceived(data)

    def _complete(self, connection: SSL.Connection, count: int) -> None:
        """
        Leave the connection to the protocol, over TLS.

        :param count: how many records came last; the first requests may be among them.
        """
        self._close(completed=True)
        address = peer_address(self.transport.getPeer())[0]
        complain = partial(self._port.peers.complain, address)
        secure = TlsTransport(connection, self._records, self._inner, complain)
        self._replace_by(secure)
        self.transport.unregisterProducer()
        secure.makeConnection(self.transport)
        self._inner.use_transport(secure)
        secure.read(count)

    def _replace_by(self, protocol: Any) -> None:
        """Let the transport call another protocol, or pass all on to it."""
        self.transport.protocol = protocol
        # Transports that are no sockets may still call this.
        self.dataReceived = protocol.dataReceived  # type: ignore[method-assign]
        self.connectionLost = protocol.connectionLost  # type: ignore[method-assign]

    def _has_hello(self) -> bool:
        """Whether the first message came wholly."""
        if len(self._received) < _RECORD_HEAD:
            return False
        size = int.from_bytes(self._received[3:_RECORD_HEAD], "big")
        return len(self._received) >= _RECORD_HEAD + size

    def _check_size(self) -> bool:
        """Refuse a first message that no client needs; return whether it is none."""
        if len(self._received) <= LONGEST_HELLO + _RECORD_HEAD:
            return True
        self.refuse(
            f"the first message of its TLS handshake has more than {LONGEST_HELLO}"
            " bytes"
        )
        return False

    def _fail(self, why: str) -> None:
        """Close after the alert is sent, and log the reason."""
        self._complain(why)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _complain(self, why: str) -> None:
        """Log why the connection is closed, and take nothing more."""
        self._close()
        self._port.peers.complain(peer_address(self.transport.getPeer())[0], why)

    def _hold(self, size: int) -> None:
        """Note how many bytes are kept."""
        if self._held is not None:
            self._held.set_read(size, 0)

    def _close(self, completed: bool = False) -> None:
        """Take nothing more."""
        self._is_open = False
        self._received = b""
        self._port.handshakes.remove(self, completed=completed)
        if self._held is not None:
            self._held.release()
