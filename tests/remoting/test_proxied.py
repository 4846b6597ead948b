"""The header of a proxy, before everything else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.local_administration import is_local
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.proxied import (
    MAX_WAITING,
    TIMEOUT,
    BadProxyHeader,
    ProxiedFactory,
    parse_header,
)
from rocketmq_tw.remoting.server import RemotingServerFactory
from tests.remoting.ends import asked, echoing

V1 = b"PROXY TCP4 10.0.0.7 10.0.0.2 4000 10911\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2 = SIGNATURE + bytes((0x21, 0x11, 0, 12, 10, 0, 0, 7, 10, 0, 0, 2, 15, 160, 42, 159))
V2_V6 = (
    SIGNATURE
    + bytes((0x21, 0x21, 0, 39))
    + bytes(15)
    + b"\7"
    + bytes(16)
    + b"\x0f\xa0\x2a\x9f"
    + b"\4\0\0"
)
LOCAL = SIGNATURE + bytes((0x20, 0, 0, 0))


class ParseTests(SynchronousTestCase):
    """Both versions."""

    def test_addresses(self) -> None:
        """The peer's address, and how long the header is."""
        for data, host, port in (
            (V1, "10.0.0.7", 4000),
            (b"PROXY TCP6 fe80::7 fe80::2 1 2\r\n", "fe80::7", 1),
            (V2, "10.0.0.7", 4000),
            (V2_V6, "::7", 4000),
            (b"PROXY UNKNOWN\r\n", "0.0.0.0", 0),
            (b"PROXY UNKNOWN ff ff 1 2\r\n", "0.0.0.0", 0),
            (LOCAL, "0.0.0.0", 0),
            (V2[:13] + b"\x31" + V2[14:], "0.0.0.0", 0),
            (V1.replace(b"10.0.0.7", b"127.0.0.1"), "0.0.0.0", 0),
            (b"PROXY TCP6 ::ffff:127.0.0.1 ::1 1 2\r\n", "0.0.0.0", 0),
        ):
            for behind in (b"", b"\x16\x03\x01more"):
                header = parse_header(data + behind)
                assert header is not None, data
                self.assertEqual((header.source.host, header.source.port), (host, port))
                self.assertEqual(header.size, len(data))

    def test_incomplete(self) -> None:
        """Any beginning asks for more."""
        for data in (V1, V2, V2_V6, LOCAL):
            for size in range(len(data)):
                self.assertIsNone(parse_header(data[:size]), data[:size])

    def test_refused(self) -> None:
        """What is no header, or a damaged one."""
        for data in (
            asked(),
            b"\x16\x03\x01",
            b"GET / HTTP/1.1\r\n",
            b"PROXY TCP4 a b 1 2\r\n",
            b"PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 70000 2\r\n",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 -1 2\r\n",
            b"PROXY \r\n",
            b"PROXY TCP4 " + b"1" * 200,
            SIGNATURE + b"\x31\x11\0\x0c",
            SIGNATURE + b"\x21\x11\xff\xff",
            V2[:15] + b"\x0b" + V2[16:],
        ):
            data = data if data[:1] != b"\r" else data + bytes(20)
            self.assertRaises(BadProxyHeader, parse_header, data)

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(
        st.sampled_from((V1[:11], V1, SIGNATURE, V2[:14], V2_V6[:16])),
        st.binary(max_size=60),
    )
    def test_any(self, begin: bytes, data: bytes) -> None:
        """Whatever comes, only the declared error is raised."""
        try:
            parse_header(begin + data)
        except BadProxyHeader:
            pass


class Socket(StringTransport):
    """A socket's transport, whose protocol can be replaced."""

    protocol: Any = None
    is_aborted = False

    def abortConnection(self) -> None:  # noqa: N802
        """Close it."""
        self.is_aborted = True
        self.loseConnection()


class ProxiedTests(SynchronousTestCase):
    """A server behind a proxy."""

    def setUp(self) -> None:
        """Make the server."""
        self.clock = Clock()
        self.inner = RemotingServerFactory(echoing(), self.clock)
        self.factory = ProxiedFactory(self.inner, self.clock, PeerLog(self.clock))

    def connect(self) -> Socket:
        """Let the proxy connect, from the loopback."""
        proxy = IPv4Address("TCP", "127.0.0.1", 5)
        transport = Socket(IPv4Address("TCP", "127.0.0.1", 10911), proxy)
        protocol = self.factory.buildProtocol(proxy)
        assert protocol is not None
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def test_served(self) -> None:
        """Requests are handled, in any pieces; the peer is not local."""
        for header in (V1, V2, LOCAL):
            for size in (1, 5, 1000):
                transport = self.connect()
                data = header + asked()
                for at in range(0, len(data), size):
                    transport.protocol.dataReceived(data[at : at + size])
                self.assertIn(b"hi", transport.value())
                [connection] = self.inner.connections
                host = "0.0.0.0:0" if header == LOCAL else "10.0.0.7:4000"
                self.assertEqual(connection.address, host)
                self.assertFalse(is_local(connection))
                transport.protocol.connectionLost(None)
                self.assertEqual(self.inner.connections, set())
        self.assertEqual(self.factory.waiting, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """Who sends none, or none in time, is closed with one line."""
        for data in (asked(), b"PROXY"):
            with capturedLogs() as events:
                transport = self.connect()
                transport.protocol.dataReceived(data)
                self.clock.advance(TIMEOUT)
            self.assertTrue(transport.is_aborted)
            self.assertEqual(len(events), 1)
            self.clock.advance(60)
        self.assertEqual(self.inner.connections, set())

    def test_many(self) -> None:
        """No more than so many wait; when the port is closed, they are."""
        waiting = [self.connect() for _ in range(MAX_WAITING)]
        self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", "::1", 1)))
        for each in waiting[:3]:
            each.protocol.dataReceived(V1)
        self.connect()
        self.factory.doStart()
        self.factory.doStop()
        self.assertTrue(all(each.is_aborted for each in waiting[3:]))
        self.assertFalse(waiting[0].is_aborted)

    def test_inner_refuses(self) -> None:
        """A connection that the server does not want is closed."""
        factory = Factory()
        factory.buildProtocol = lambda addr: None  # type: ignore[method-assign]
        self.factory = ProxiedFactory(factory, self.clock, PeerLog(self.clock))
        transport = self.connect()
        transport.protocol.dataReceived(V2)
        self.assertTrue(transport.is_aborted)
