"""
The transport of a connection with TLS: encrypts what a protocol writes.

It stands between the socket's transport and a protocol of this package, and is made
when the handshake is complete. Where Twisted's own collects small writes for the next
reactor iteration, this one writes at once, as everything that is written together was
collected before (:mod:`rocketmq_tw.remoting.write_through`).

Nothing is kept here: encrypted bytes go to the socket's transport, which pauses the
protocol if the peer does not read. OpenSSL's buffers never shrink, so at most
:data:`PIECE` bytes are in them.

A close is announced to the peer, but not waited for: frames have a length, so that
nobody can cut them off unnoticed. It is announced when all is sent: as without TLS,
what is written until then is sent, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IPullProducer, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.remoting.tls_records import Records
from rocketmq_tw.remoting.write_through import unsent_bytes, write_now
from rocketmq_tw.tls.errors import TlsFailed
from rocketmq_tw.tls.explain import handshake_problem

#: Bytes of a record of TLS, at most.
RECORD = 16384
#: Bytes that are encrypted before they are passed on.
PIECE = 4 * RECORD
#: So many records of one read are taken in any case. More must have :data:`LEAST` bytes
#: on average, as the shortest requests have: 15 us each is what OpenSSL takes for one
#: that changes the keys, and 2,400 of these fit into a read.
SHORT, LEAST = 128, 64
#: Records without data on one connection, at most; with the shortest interval at which
#: others change their keys these are petabytes.
EMPTY = 1000
#: Bytes that encryption adds to a piece: a header and a tag for each record, and
#: messages of TLS itself.
_ADDED = 512


@implementer(ISSLTransport)
class TlsTransport(Protocol):
    """
    Encrypts and decrypts for one protocol, after the handshake.

    :param connection: OpenSSL's, whose handshake is complete.
    :param records: has counted all that came.
    :param inner: the protocol; it is notified of the loss.
    :param complain: is given the reason why the peer is disconnected.
    """

    #: The socket's transport.
    transport: Any = None

    def __init__(
        self,
        connection: SSL.Connection,
        records: Records,
        inner: Any,
        complain: Callable[[str], object] | None = None,
    ) -> None:
        self._connection = connection
        self._records = records
        self._inner = inner
        self._complain = complain
        # How many records had no data.
        self._empty = 0
        # Nothing is written any more.
        self._is_ending = False
        # Nothing is read any more; it ends when all is sent.
        self._is_draining = False
        self._has_producer = False
        self._reason: Failure | None = None

    # -- what the socket's transport calls

    def dataReceived(self, data: bytes) -> None:
        """Decrypt what came, and pass it on in one piece."""
        if self._is_ending:
            return
        records = self._records
        is_whole = records.is_between
        count = records.feed(data)
        if count == 1 and is_whole and records.is_between and len(data) < RECORD:
            self._read_one(data)
            return
        if count > SHORT and count * LEAST > len(data):
            self._refuse(f"it sends {count} records of TLS in {len(data)} bytes")
            return
        self._connection.bio_write(data)
        if count:
            self.read(count)

    def _read_one(self, record: bytes) -> None:
        """Decrypt the only record that came: a request, mostly."""
        connection = self._connection
        connection.bio_write(record)
        try:
            piece = connection.recv(len(record))
        except SSL.WantReadError:
            self._note_empty(1)
        except SSL.Error as error:
            self._end(error)
        else:
            self._inner.dataReceived(piece)

    def read(self, count: int) -> None:
        """
        Decrypt what came and pass it on in one piece.

        :param count: the most records that there may be.
        """
        pieces: list[bytes] = []
        receive = self._connection.recv
        error: SSL.Error | None = None
        try:
            while count:
                pieces.append(receive(RECORD))
                count -= 1
        except SSL.WantReadError:
            self._note_empty(count)
            if self._is_ending:
                return
        except SSL.Error as found:
            error = found
        if pieces:
            self._inner.dataReceived(
                pieces[0] if len(pieces) == 1 else b"".join(pieces)
            )
        if error is not None:
            self._end(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Notify the protocol, with the reason of TLS if there is one."""
        self._is_ending = True
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.connectionLost(self._reason or reason)

    def _note_empty(self, count: int) -> None:
        """Count records without data; refuse a peer that sends many."""
        self._empty += count
        if self._empty > EMPTY:
            self._refuse(f"it has sent {self._empty} records of TLS without data")

    def _refuse(self, why: str) -> None:
        """Close: the peer sends what no client needs."""
        if self._complain is not None:
            self._complain(why)
        if self._reason is None:
            self._reason = Failure(TlsFailed(why))
        self.abortConnection()

    def _end(self, error: SSL.Error) -> None:
        """Close: the peer has closed, or what it sent cannot be decrypted."""
        if not isinstance(error, SSL.ZeroReturnError) and self._reason is None:
            self._reason = Failure(TlsFailed(handshake_problem(error)))
        self._finish()

    # -- what the protocol calls

    def write(self, data: bytes) -> None:
        """Encrypt and write, behind everything written before."""
        if self._is_ending or not data:
            return
        try:
            if len(data) <= RECORD:
                self._connection.send(data)
                self._pass_on(len(data))
            else:
                self._write_long(data)
        except SSL.Error as error:
            self._end(error)

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802
        """Encrypt and write all pieces together."""
        self.write(b"".join(data))

    def _write_long(self, data: bytes) -> None:
        """Write what takes several records."""
        view = memoryview(data)
        for start in range(0, len(data), PIECE):
            piece = view[start : start + PIECE]
            # OpenSSL takes one record at a time.
            for begin in range(0, len(piece), RECORD):
                self._connection.send(piece[begin : begin + RECORD])
            self._pass_on(len(piece))

    def _pass_on(self, size: int) -> None:
        """Write what OpenSSL has encrypted, of ``size`` bytes."""
        wanted = size + _ADDED
        encrypted = self._connection.bio_read(wanted)
        write_now(self.transport, encrypted)
        while len(encrypted) == wanted:
            try:
                encrypted = self._connection.bio_read(wanted)
            except SSL.WantReadError:
                return
            write_now(self.transport, encrypted)

    def loseConnection(self) -> None:  # noqa: N802
        """Announce the end to the peer after all is sent, and close."""
        if self._is_ending or self._is_draining:
            return
        if not unsent_bytes(self.transport):
            self._finish()
            return
        self.unregisterProducer()
        self._is_draining = True
        self.transport.pauseProducing()
        self.transport.registerProducer(_Drain(self._sent), False)

    def _sent(self) -> None:
        """Close, as all is sent."""
        self.transport.unregisterProducer()
        self._finish()

    def _finish(self) -> None:
        """Announce the end to the peer, and close."""
        if not self._is_ending:
            self._is_ending = True
            self._announce_end()
            self.transport.loseConnection()

    def _announce_end(self) -> None:
        """Send the close of TLS, or the alert of what went wrong."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            pass  # the connection is broken already; the alert is still sent
        try:
            write_now(self.transport, self._connection.bio_read(PIECE))
        except SSL.Error:
            pass  # there is none

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Close: TLS connections are not closed in one direction only."""
        self.loseConnection()

    def abortConnection(self) -> None:  # noqa: N802
        """Close now, and drop what is not sent."""
        self._is_ending = True
        self.transport.abortConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        """Let the socket's transport pause and resume a producer."""
        self._has_producer = True
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:  # noqa: N802
        """Pause no producer any more."""
        if self._has_producer:
            self._has_producer = False
            self.transport.unregisterProducer()

    def pauseProducing(self) -> None:  # noqa: N802
        """Stop reading."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        """Read again."""
        if not self._is_draining:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802
        """Close the connection."""
        self.loseConnection()

    # -- facts

    @property
    def disconnecting(self) -> bool:
        """Whether it is being closed, which line receivers ask before each line."""
        return self._is_ending or self._is_draining

    def getPeer(self) -> Any:  # noqa: N802
        """Return the peer's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:  # noqa: N802
        """Return this end's address."""
        return self.transport.getHost()

    def getPeerCertificate(self) -> Any:  # noqa: N802
        """Return the peer's certificate; None if it has shown none."""
        return self._connection.get_peer_certificate()

    def getTcpNoDelay(self) -> bool:  # noqa: N802
        """Return whether small segments are sent at once."""
        return bool(self.transport.getTcpNoDelay())

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Send small segments at once, or not."""
        self.transport.setTcpNoDelay(enabled)

    def getTcpKeepAlive(self) -> bool:  # noqa: N802
        """Return whether the system looks for dead peers."""
        return bool(self.transport.getTcpKeepAlive())

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        """Let the system look for dead peers, or not."""
        self.transport.setTcpKeepAlive(enabled)

    @property
    def bufferSize(self) -> int:  # noqa: N802
        """Bytes that are read at once."""
        return int(self.transport.bufferSize)

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:  # noqa: N802
        """Read so many bytes at once."""
        self.transport.bufferSize = size


@implementer(IPullProducer)
class _Drain:
    """
    Calls a function when a transport has sent everything.

    A transport asks such a producer for more when it is registered, and then each time
    that it has sent all.
    """

    def __init__(self, on_sent: Callable[[], None]) -> None:
        self._on_sent = on_sent
        self._is_registered = False

    def resumeProducing(self) -> None:
        """There is nothing more to send, but for the first time."""
        if self._is_registered:
            self._on_sent()
        self._is_registered = True

    def stopProducing(self) -> None:
        """The connection is lost."""


def handshake_step(connection: SSL.Connection, transport: Any) -> bool:
    """
    Continue a handshake with what was received, and send what it has to say.

    :returns: whether it is complete.
    :raises OpenSSL.SSL.Error: it failed; the alert was sent.
    """
    try:
        connection.do_handshake()
        return True
    except SSL.WantReadError:
        return False
    finally:
        try:
            while True:
                write_now(transport, connection.bio_read(PIECE))
        except SSL.WantReadError:
            pass  # that was all
