"""The transport with TLS over a socket's."""

from __future__ import annotations

import os
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rocketmq_tw.remoting.tls_records import Records
from rocketmq_tw.remoting.tls_transport import PIECE, TlsTransport, handshake_step
from rocketmq_tw.tls.contexts import client_context, server_context
from rocketmq_tw.tls.errors import TlsFailed
from rocketmq_tw.tls.settings import INSECURE, ServerTls, Tls
from tests.tls.authority import NOW

SERVER = server_context(ServerTls(is_test=True), NOW)
CLIENT = client_context(Tls(verify=INSECURE), NOW, lambda *_: True)


class Collecting(Protocol):
    """Collects what comes, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        """Collect."""
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Keep the reason."""
        self.lost = reason


class Socket(StringTransport):
    """Counts writes."""

    writes = 0

    def write(self, data: bytes) -> None:
        """Count."""
        self.writes += 1
        super().write(data)

    def taken(self) -> bytes:
        """Take away what was written."""
        data = self.value()
        self.clear()
        return data


class TransportTests(SynchronousTestCase):
    """One end is a transport, the other OpenSSL's."""

    def setUp(self) -> None:
        """Make a handshake."""
        here = SSL.Connection(SERVER, None)
        here.set_accept_state()
        self.peer = SSL.Connection(CLIENT, None)
        self.peer.set_connect_state()
        self.socket = Socket()
        self.inner = Collecting()
        wire = Socket()
        records = Records()
        done = False
        while not done:
            handshake_step(self.peer, wire)
            records.feed(wire.value())
            here.bio_write(wire.taken())
            done = handshake_step(here, self.socket)
            self.peer.bio_write(self.socket.taken())
        self.complaints: list[str] = []
        self.transport = TlsTransport(here, records, self.inner, self.complaints.append)
        self.transport.makeConnection(self.socket)
        self.socket.writes = 0

    def decrypted(self) -> bytes:
        """Return what the peer reads."""
        self.peer.bio_write(self.socket.taken())
        found = b""
        try:
            while True:
                found += self.peer.recv(65536)
        except SSL.WantReadError:
            return found

    def test_interface(self) -> None:
        """It is what protocols expect."""
        verifyObject(ISSLTransport, self.transport)
        self.assertEqual(self.transport.getPeer(), self.socket.getPeer())
        self.assertEqual(self.transport.getHost(), self.socket.getHost())

    def test_write(self) -> None:
        """A short write leaves at once, in one piece."""
        self.transport.write(b"hello")
        self.assertEqual(self.socket.writes, 1)
        self.assertEqual(self.decrypted(), b"hello")

    def test_long_write(self) -> None:
        """A long one leaves in few pieces, so that OpenSSL's buffer stays small."""
        for size in (PIECE - 1, PIECE, PIECE + 1, 1 << 20, 16385):
            data = os.urandom(size)
            self.socket.writes = 0
            self.transport.write(data)
            self.assertEqual(self.socket.writes, -(-size // PIECE))
            self.assertEqual(self.decrypted(), data)

    def test_sequence(self) -> None:
        """Several pieces are encrypted together."""
        self.transport.writeSequence([b"a", b"b"])
        self.transport.write(b"")
        self.assertEqual(self.socket.writes, 1)
        self.assertEqual(self.decrypted(), b"ab")

    def test_read(self) -> None:
        """All that came together is passed on in one piece."""
        data = os.urandom(100_000)
        for start in range(0, len(data), 1000):
            self.peer.send(data[start : start + 1000])
        wire = b""
        try:
            while True:
                wire += self.peer.bio_read(65536)
        except SSL.WantReadError:
            pass
        self.transport.dataReceived(wire)
        self.assertEqual(self.inner.pieces, [data])

    def test_part_of_a_record(self) -> None:
        """Nothing is passed on before a record is whole."""
        for data in (b"hello", os.urandom(10_000)):
            for end in (-1, -20, 3, 5, 6):
                self.inner.pieces.clear()
                self.peer.send(data)
                wire = self.peer.bio_read(65536)
                self.transport.dataReceived(wire[:end])
                self.assertEqual(self.inner.pieces, [])
                self.transport.dataReceived(wire[end:])
                self.assertEqual(self.inner.pieces, [data])

    def test_lose_connection(self) -> None:
        """The peer is notified; nobody waits for what it says to that."""
        self.transport.write(b"bye")
        self.assertFalse(self.transport.disconnecting)
        self.transport.loseConnection()
        self.assertTrue(self.transport.disconnecting)
        self.transport.loseConnection()
        self.transport.write(b"too late")
        self.assertTrue(self.socket.disconnecting)
        self.peer.bio_write(self.socket.taken())
        self.assertEqual(self.peer.recv(100), b"bye")
        self.assertRaises(SSL.ZeroReturnError, self.peer.recv, 100)

    def test_peer_closes(self) -> None:
        """What came before the end is passed on; the loss needs no reason of TLS."""
        self.peer.send(b"bye")
        self.peer.shutdown()
        self.transport.dataReceived(self.peer.bio_read(65536))
        self.assertEqual(self.inner.pieces, [b"bye"])
        self.assertTrue(self.socket.disconnecting)
        self.transport.connectionLost(Failure(ConnectionDone()))
        assert self.inner.lost is not None
        self.inner.lost.trap(ConnectionDone)
        self.transport.connectionLost(Failure(ConnectionDone()))

    def test_damage(self) -> None:
        """A record that was changed ends the connection, with a reason."""
        self.peer.send(b"hello")
        wire = bytearray(self.peer.bio_read(65536))
        wire[-1] ^= 1
        self.transport.dataReceived(bytes(wire))
        self.assertEqual(self.inner.pieces, [])
        self.assertTrue(self.socket.disconnecting)
        self.transport.connectionLost(Failure(ConnectionDone()))
        assert self.inner.lost is not None
        self.inner.lost.trap(TlsFailed)

    def test_many_short_records(self) -> None:
        """More records than requests fit into a read are not even decrypted."""
        for _ in range(2000):
            self.peer.send(b"x")
        wire = b""
        while len(wire) < 2000 * 23:
            wire += self.peer.bio_read(65536)
        self.transport.dataReceived(wire)
        self.transport.dataReceived(wire)
        self.assertEqual(self.inner.pieces, [])
        self.assertTrue(self.socket.disconnected)
        [said] = self.complaints
        self.assertIn("it sends 2000 records of TLS", said)

    def test_records_without_data(self) -> None:
        """A limited number of messages of TLS itself is taken."""

        class Nothing:
            """OpenSSL's side, where no record has data."""

            def bio_write(self, data: bytes) -> None:
                """Take it."""

            def recv(self, size: int) -> bytes:
                """Find nothing."""
                raise SSL.WantReadError

        self.transport._connection = Nothing()  # type: ignore[assignment]
        record = b"\x17\x03\x03\x00\x16" + bytes(22)
        for _ in range(10):
            self.transport.dataReceived(record * 100)
        self.assertEqual(self.complaints, [])
        self.transport.dataReceived(record)
        self.assertIn("1001 records of TLS without data", self.complaints[0])
        self.assertTrue(self.socket.disconnected)

    def test_abort(self) -> None:
        """Nothing is announced."""
        self.transport.abortConnection()
        self.transport.write(b"too late")
        self.assertEqual(self.socket.value(), b"")
        self.assertTrue(self.socket.disconnected)

    def test_producer(self) -> None:
        """The socket's transport pauses the protocol, and the protocol the socket."""
        producer: Any = object()
        self.transport.registerProducer(producer, True)
        self.assertIs(self.socket.producer, producer)
        self.transport.unregisterProducer()
        self.assertIsNone(self.socket.producer)
        self.transport.pauseProducing()
        self.assertEqual(self.socket.producerState, "paused")
        self.transport.resumeProducing()
        self.assertEqual(self.socket.producerState, "producing")

    def test_certificate(self) -> None:
        """The peer's certificate is there if it has shown one."""
        self.assertIsNone(self.transport.getPeerCertificate())
