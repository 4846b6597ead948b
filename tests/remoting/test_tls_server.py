"""The first byte decides, and handshakes cost little until they are complete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from OpenSSL import SSL
from twisted.logger import capturedLogs

from rocketmq_tw.remoting.errors import ConnectError, ConnectionLost
from rocketmq_tw.remoting.tls import tls_gauges
from rocketmq_tw.remoting.tls_server import LONGEST_HELLO
from rocketmq_tw.remoting.tls_transport import handshake_step
from rocketmq_tw.tls.contexts import client_context
from rocketmq_tw.tls.settings import INSECURE, ClientAuth, ServerMode, Tls
from tests.remoting.ends import Echo, asked
from tests.remoting.tls_ends import ADDRESS, RawClient, TlsCase
from tests.tls.authority import NOW, Authority


def hello(version: int = SSL.TLS1_3_VERSION) -> bytes:
    """Return the first message of a handshake."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(version)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        pass
    return connection.bio_read(65536)


class ModeTests(TlsCase):
    """Plain and TLS, on one port."""

    def test_permissive(self) -> None:
        """Both are served."""
        self.serve()
        for pool in (self.pool(), self.plain_pool()):
            call = pool.call(ADDRESS, Echo(text="hello"))
            self.run_clock()
            self.assertEqual(self.successResultOf(call).text, "hello")
        self.assertEqual(len(self.factory.connections), 2)

    def test_plain_is_left_alone(self) -> None:
        """After its first bytes a plain connection is as if there were no TLS."""
        self.serve()
        self.plain_pool().call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        [protocol] = self.factory.connections
        self.assertIs(protocol.transport.protocol, protocol)

    def test_requests_with_the_handshake(self) -> None:
        """Any number of requests may come with the end of the handshake."""
        self.serve()
        context = client_context(Tls(verify=INSECURE), NOW, lambda *_: True)
        client = SSL.Connection(context, None)
        client.set_connect_state()
        raw = self.socket()
        while not handshake_step(client, raw):
            self.run_clock()
            received, raw.received = raw.received, b""
            client.bio_write(received)
        for _ in range(300):
            client.send(asked())
        while True:
            try:
                raw.write(client.bio_read(65536))
            except SSL.WantReadError:
                break
        self.run_clock()
        client.bio_write(raw.received)
        responses = b""
        try:
            while True:
                responses += client.recv(65536)
        except SSL.WantReadError:
            pass
        self.assertEqual(responses.count(b"hi"), 300)

    def test_byte_by_byte(self) -> None:
        """A frame may come in any pieces."""
        self.serve()
        raw = self.socket()
        for byte in asked():
            raw.send(bytes([byte]))
            self.run_clock()
        self.assertIn(b"hi", raw.received)

    def test_enforcing(self) -> None:
        """Plain connections are closed, with one line and a count."""
        self.serve(mode=ServerMode.ENFORCING)
        call = self.pool().call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        self.successResultOf(call)
        with capturedLogs() as events:
            call = self.plain_pool().call(ADDRESS, Echo(text="hello"))
            self.run_clock()
        self.failureResultOf(call, ConnectionLost)
        [event] = events
        self.assertEqual(
            event["why"], "it does not use TLS, and tls.server.mode is enforcing"
        )
        self.assertEqual(tls_gauges(self.side)["tlsPlainRefused"](), 1)
        self.assertEqual(len(self.factory.connections), 1)

    def test_old_version(self) -> None:
        """TLS 1.1 is refused with an alert, one line and a count."""
        self.serve()
        raw = self.socket()
        with capturedLogs() as events:
            raw.send(hello(SSL.TLS1_1_VERSION))
            self.run_clock()
        self.assertTrue(raw.lost)
        self.assertEqual(raw.received[:1], b"\x15")
        self.assertIn("older than 1.2", events[0]["why"])
        self.assertEqual(self.handshakes.failed, 1)

    def test_rubbish(self) -> None:
        """What only begins like a handshake."""
        self.serve()
        for data in (
            b"\x16\x03\x01\x00\x04abcd",
            b"\x16" * 20000,
            b"\x16\x03\x01\x00\x00" + hello(),
            hello()[:-1] + b"\0\0\0\0\0\0\0\0",
        ):
            raw = self.socket()
            raw.send(data)
            self.run_clock()
            self.run_clock(11)
            self.assertTrue(raw.lost, data[:20])
        self.assertEqual(self.factory.connections, set())
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (0, 0))
        self.assertEqual(self.budget.size, 0)

    def test_untrusted_client(self) -> None:
        """Clients without a certificate never reach the protocol."""
        self.serve(client_auth=ClientAuth.REQUIRE, client_ca=self.authority.ca)
        call = self.pool().call(ADDRESS, Echo(text="hello"))
        with capturedLogs() as events:
            self.run_clock()
        self.failureResultOf(call)
        self.assertEqual(events[0]["why"], "it has sent no certificate")
        self.assertEqual(self.factory.connections, set())

    def test_wrong_client_certificates(self) -> None:
        """Expired, signed by itself, and of another authority: none is let in."""
        past = datetime(2024, 1, 1, tzinfo=UTC)
        before = datetime(2023, 1, 1, tzinfo=UTC).timestamp()
        # OpenSSL looks at the real time, and who loads the files at this clock.
        self.clock.advance(before - self.clock.seconds())
        self.serve(client_auth=ClientAuth.REQUIRE, client_ca=self.authority.ca)
        for certificate, key in (
            self.authority.issue("old", end=past),
            self.authority.issue("own", self_signed=True),
            Authority(self.mktemp(), "another").issue("other"),
        ):
            call = self.pool(certificate=certificate, key=key).call(
                ADDRESS, Echo(text="hello")
            )
            with capturedLogs() as events:
                self.run_clock()
            self.failureResultOf(call)
            [why] = [event["why"] for event in events]
            self.assertIn("certificate verify failed", why)
            self.clock.advance(61)
        self.assertEqual(self.factory.connections, set())


class SlowTests(TlsCase):
    """Handshakes that are not completed."""

    def test_times_out(self) -> None:
        """Each has a limited time, from its first byte on."""
        self.serve(timeout=10)
        first = self.socket()
        first.send(hello()[:1])
        self.run_clock()
        second = self.socket()
        second.send(hello())
        self.run_clock()
        self.run_clock(9)
        self.assertFalse(first.lost or second.lost)
        self.assertGreater(self.budget.size, 0)
        with capturedLogs() as events:
            self.run_clock(2)
        self.assertTrue(first.lost and second.lost)
        self.assertIn("tlsHandshakeTimeoutMillis", events[0]["why"])
        self.assertEqual(self.handshakes.timed_out, 2)
        self.assertEqual(self.budget.size, 0)

    def test_nothing_sent(self) -> None:
        """A connection that sends nothing is closed as an idle one."""
        self.serve()
        raw = self.socket()
        self.run_clock(121)
        self.assertTrue(raw.lost)

    def test_long_hello(self) -> None:
        """More than a first message needs is refused when it has come."""
        self.serve()
        raw = self.socket()
        raw.send(b"\x16\x03\x01\x40\x00" + b"x" * (LONGEST_HELLO + 1))
        with capturedLogs() as events:
            self.run_clock()
        self.assertTrue(raw.lost)
        self.assertIn("more than 8192 bytes", events[0]["why"])

    def test_half_hello_costs_nothing(self) -> None:
        """OpenSSL is given nothing before the first message is whole."""
        self.serve()
        raw = self.socket()
        data = hello()
        raw.send(data[:-1])
        self.run_clock()
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (0, 1))
        raw.send(data[-1:])
        self.run_clock()
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (1, 0))
        self.assertEqual(raw.received[:1], b"\x16")

    def test_gone(self) -> None:
        """A client that leaves is forgotten, in each state."""
        self.serve()
        for data in (b"", b"\x16", hello()):
            raw = self.socket()
            raw.send(data)
            self.run_clock()
            raw.close()
            self.run_clock()
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (0, 0))
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.budget.size, 0)

    def test_budget(self) -> None:
        """Bytes of messages that are not whole count as those of requests."""
        self.serve()
        raws = [self.socket() for _ in range(5)]
        for raw in raws:
            raw.send(hello()[:-1])
        self.run_clock()
        self.assertEqual(self.budget.size, 5 * (len(hello()) - 1))

    def test_slow_ones_keep_nobody_out(self) -> None:
        """With all places taken by one address, another one is served at once."""
        self.serve(limit=20)
        slow = [self.socket("10.0.6.6") for _ in range(40)]
        for raw in slow:
            raw.send(hello())
        self.run_clock()
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (10, 30))
        call = self.pool().call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        self.successResultOf(call)

    def test_slow_ones_give_way(self) -> None:
        """After a second they give way to others of their address."""
        self.serve(limit=2)
        slow = self.socket("10.0.0.9")
        slow.send(hello())
        self.run_clock()
        call = self.pool("10.0.0.9").call(ADDRESS, Echo(text="hello"), 3)
        self.run_clock(0.5)
        self.assertNoResult(call)
        self.run_clock(0.6)
        self.successResultOf(call)
        self.assertTrue(slow.lost)
        self.assertEqual(self.handshakes.displaced, 1)


class CloseTests(TlsCase):
    """The end of connections, from either side."""

    def connected(self) -> Any:
        """Connect a client, whose connection is returned."""
        made = self.pool().connection(ADDRESS)
        self.run_clock()
        return self.successResultOf(made)

    def test_client_closes(self) -> None:
        """The server's protocol is notified."""
        self.serve()
        closed = self.connected().close()
        self.run_clock()
        self.successResultOf(closed)
        self.assertEqual(self.factory.connections, set())

    def test_server_closes(self) -> None:
        """So is the client's; nobody waits for the other's announcement."""
        self.serve()
        connection = self.connected()
        closed = self.factory.close_all()
        self.run_clock()
        self.successResultOf(closed)
        self.assertFalse(connection.is_connected)

    def test_server_stops_in_a_handshake(self) -> None:
        """A handshake that is not complete is closed with the others."""
        self.serve()
        raw = self.socket()
        raw.send(hello())
        self.run_clock()
        closed = self.factory.close_all()
        self.run_clock()
        self.successResultOf(closed)
        self.assertTrue(raw.lost)
        self.side.stop()

    def test_connect_error(self) -> None:
        """Nothing is left behind by clients that refuse the certificate."""
        self.serve()
        made = self.pool(server_name="mq.invalid").connection(ADDRESS)
        self.run_clock()
        self.failureResultOf(made, ConnectError)
        self.assertEqual(self.factory.connections, set())

    def test_raw_client(self) -> None:
        """The double of a client is notified of the end."""
        self.serve()
        raw = RawClient(self.network, "10.0.0.7")
        self.run_clock()
        self.factory.close_all()
        self.run_clock()
        self.assertTrue(raw.lost)
