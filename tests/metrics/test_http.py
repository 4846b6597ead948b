"""HTTP of the metrics: what is served, and what is refused."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.http import (
    CONNECTIONS,
    IDLE,
    PAGES,
    PATIENCE,
    REQUEST_LINES,
    REQUEST_SIZE,
    WRITE_SIZE,
    MetricsFactory,
)
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.remoting.pacing import STEPS, Steps
from tests.metrics.reading import Reading

GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


class HttpCase(SynchronousTestCase):
    """Has a page, and scrapers that are connected."""

    token = ""

    def setUp(self) -> None:
        """Serve a page with one metric."""
        self.clock = Clock()
        self.page = Page(self.clock)
        self.family = self.page.family("rocketmq_x", "gauge", "Text", labels=("n",))
        self.family.set(("1",), 1)
        self.factory = MetricsFactory(self.clock, self.page, self.token)
        self.connect()

    def connect(self) -> None:
        """Connect a scraper; the latest one is asked."""
        self.wire = StringTransport(peerAddress=IPv4Address("TCP", "10.0.0.9", 4711))
        self.channel: Any = self.factory.buildProtocol(self.wire.getPeer())
        if self.channel is not None:
            self.channel.makeConnection(self.wire)

    def ask(self, request: bytes) -> tuple[bytes, bytes, bytes]:
        """Send bytes; return the first line, the headers and the body."""
        self.channel.dataReceived(request)
        self.clock.pump([0.001] * 20)
        text = self.wire.value()
        self.wire.clear()
        head, _, body = text.partition(b"\r\n\r\n")
        line, _, headers = head.partition(b"\r\n")
        return line, headers, body

    def code(self, request: bytes) -> int:
        """Send bytes; return the code of the response."""
        line, _, _ = self.ask(request)
        return int(line.split(b" ")[1])

    def closed(self) -> bool:
        """Whether the connection was closed or is being closed."""
        return self.wire.disconnecting or self.wire.disconnected


class ServedTests(HttpCase):
    """What scrapers get."""

    def test_metrics(self) -> None:
        """The page, with its type and its length; then the next one."""
        for _ in range(2):
            line, headers, body = self.ask(GET)
            self.assertEqual(line, b"HTTP/1.1 200 OK")
            self.assertIn(b"Content-Type: text/plain; version=0.0.4", headers)
            self.assertIn(b"Content-Length: %d" % len(body), headers)
            self.assertEqual(Reading(body).get("rocketmq_x", n="1"), 1)
            self.clock.advance(1)
        self.assertFalse(self.closed())

    def test_query(self) -> None:
        """What stands behind the path changes nothing."""
        self.assertEqual(
            self.code(b"GET /metrics?name=x HTTP/1.1\r\nHost: a\r\n\r\n"), 200
        )

    def test_start(self) -> None:
        """A page for people leads there."""
        line, _, body = self.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(line, b"HTTP/1.1 200 OK")
        self.assertIn(b'href="/metrics"', body)

    def test_head(self) -> None:
        """The headers alone."""
        line, headers, body = self.ask(b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((line, body), (b"HTTP/1.1 200 OK", b""))
        self.assertNotIn(b"Content-Length: 0", headers)
        self.assertEqual(self.code(GET), 200)

    def test_old_version(self) -> None:
        """A scraper of HTTP/1.0 gets the page, and the connection is closed."""
        _, _, body = self.ask(b"GET /metrics HTTP/1.0\r\n\r\n")
        self.assertIn(b"rocketmq_x", body)
        self.assertTrue(self.closed())

    def test_pipelined(self) -> None:
        """Requests that come together are handled in order."""
        self.channel.dataReceived(GET + GET)
        self.clock.pump([0.001] * 20)
        self.assertEqual(self.wire.value().count(b"200 OK"), 2)

    def test_large_page(self) -> None:
        """It is written as the scraper reads, not at once."""
        for number in range(40_000):
            self.family.set((str(number),), number)
        size = sum(map(len, self.family.pieces()))
        self.assertGreater(size, 3 * WRITE_SIZE)
        asked = self.page.collect()
        self.clock.pump([0.001] * 20)
        self.successResultOf(asked)
        self.wire.write = self.paused_write  # type: ignore[method-assign]
        self.channel.dataReceived(GET)
        written = len(self.wire.value())
        self.assertLess(written, 2 * WRITE_SIZE)
        while self.channel._requestProducer is not None:
            self.channel.resumeProducing()
        _, _, body = self.wire.value().partition(b"\r\n\r\n")
        self.assertEqual(len(Reading(body).labels("rocketmq_x")), 40_000)

    def paused_write(self, data: bytes) -> None:
        """Write as a transport whose buffer is full then."""
        StringTransport.write(self.wire, data)
        self.channel.pauseProducing()

    def test_nothing_logged(self) -> None:
        """No timer runs for the log, and the factory needs none."""
        self.factory.doStart()
        self.factory.doStop()
        self.channel.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class RefusedTests(HttpCase):
    """What costs nothing."""

    def test_codes(self) -> None:
        """Other paths and methods are refused in a sentence, and counted."""
        for request, code in (
            (b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 404),
            (b"GET /metrics/ HTTP/1.1\r\nHost: a\r\n\r\n", 404),
            (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
            (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ):
            self.assertEqual(self.code(request), code)
        self.assertEqual(self.factory.refused, 4)

    def test_body(self) -> None:
        """A body is refused before it comes, whether its length is known or not."""
        for header in (b"Content-Length: 99999999", b"Transfer-Encoding: chunked"):
            self.connect()
            head = b"POST /metrics HTTP/1.1\r\nExpect: 100-continue\r\n"
            line, _, body = self.ask(head + header + b"\r\n\r\n")
            self.assertEqual((line, body), (b"HTTP/1.1 413 Content Too Large", b""))
            self.assertTrue(self.closed())
            self.assertEqual(self.ask(bytes(100_000)), (b"", b"", b""))

    def test_large_request(self) -> None:
        """Too many lines, too long ones, and lines that do not end."""
        for request in (
            b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * (REQUEST_LINES + 2),
            b"GET /metrics HTTP/1.1\r\n" + b"A: %b\r\n" % (b"x" * REQUEST_SIZE),
            b"GET /" + b"x" * (2 * REQUEST_SIZE),
        ):
            self.connect()
            self.channel.dataReceived(request)
            self.assertTrue(self.closed())
            self.assertNotIn(b"200", self.wire.value())

    def test_no_http(self) -> None:
        """Whatever comes is no reason for a traceback."""
        for request in (
            b"\x16\x03\x01\x02\x00\r\n\r\n",
            b"\r\n\r\n\r\n",
            b"x y\r\n\r\n",
        ):
            self.connect()
            self.channel.dataReceived(request)
            self.channel.connectionLost()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_slow_request(self) -> None:
        """Single bytes give no more time."""
        self.channel.dataReceived(b"GET /met")
        for _ in range(4):
            self.clock.advance(PATIENCE / 4 - 0.1)
            self.channel.dataReceived(b"r")
        self.assertFalse(self.closed())
        self.clock.advance(1)
        self.assertTrue(self.closed())

    def test_idle(self) -> None:
        """A connection may wait for the next scrape, but not for ever."""
        self.ask(GET)
        self.clock.advance(IDLE - 1)
        self.assertFalse(self.closed())
        self.clock.advance(2)
        self.assertTrue(self.closed())

    def test_slow_reader(self) -> None:
        """Who does not read the page is disconnected."""
        for number in range(40_000):
            self.family.set((str(number),), number)
        self.wire.write = self.blocked_write  # type: ignore[method-assign]
        self.channel.dataReceived(GET)
        self.clock.pump([0.001] * 20)
        self.clock.advance(PATIENCE - 1)
        self.assertFalse(self.closed())
        self.clock.advance(1)
        self.assertTrue(self.closed())

    def blocked_write(self, data: bytes) -> None:
        """Write as a transport whose peer does not read."""
        self.channel.pauseProducing()

    def test_too_often(self) -> None:
        """All together get so many pages in a second, and are then to wait."""
        codes = [self.code(GET) for _ in range(PAGES + 2)]
        self.assertEqual(codes, [200] * PAGES + [429] * 2)
        self.clock.advance(1)
        self.assertEqual(self.code(GET), 200)

    def test_connections(self) -> None:
        """A new one takes the place of one that has sent nothing."""
        first = self.channel
        for _ in range(CONNECTIONS):
            self.connect()
            first_wire: Any = first.transport
        self.assertTrue(first_wire.disconnected)
        self.assertIsNotNone(self.channel)

    def test_connections_in_use(self) -> None:
        """Those that are used keep their place; a new one is refused."""
        self.ask(GET)
        for _ in range(CONNECTIONS // 2 - 1):
            self.connect()
            self.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.connect()
        self.assertIsNone(self.channel)
        self.assertEqual(self.factory.admission.refused, 1)

    def test_gone_while_collecting(self) -> None:
        """A scraper that goes away is waited for by nobody."""

        def slow() -> Steps[None]:
            for _ in range(5 * STEPS):
                yield None

        self.page.add(slow)
        self.channel.dataReceived(GET)
        self.channel.connectionLost()
        self.clock.pump([0.001] * 20)
        self.assertEqual(self.wire.value(), b"")
        self.assertEqual(self.factory.admission.count, 0)

    def test_stopped(self) -> None:
        """Who waits for the page when the program stops gets a sentence."""

        def slow() -> Steps[None]:
            for _ in range(5 * STEPS):
                yield None

        self.page.add(slow)
        self.channel.dataReceived(GET)
        self.page.stop()
        self.assertIn(b"503 Service Unavailable", self.wire.value())

    def test_close_all(self) -> None:
        """At the stop no connection stays."""
        self.factory.close_all()
        self.assertTrue(self.closed())


class TokenTests(HttpCase):
    """Only who knows the token reads metrics."""

    token = "secret"

    def test_token(self) -> None:
        """It has to be there, and to be the right one."""
        start = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
        for header, code in (
            (b"", 401),
            (b"Authorization: Bearer other\r\n", 401),
            (b"Authorization: Basic secret\r\n", 401),
            (b"Authorization: Bearer secret\r\n", 200),
            (b"Authorization: bearer secret\r\n", 200),
        ):
            self.assertEqual(self.code(start + header + b"\r\n"), code)

    def test_asked_for(self) -> None:
        """The response names the scheme, and collects nothing."""
        _, headers, _ = self.ask(GET)
        self.assertIn(b"WWW-Authenticate: Bearer", headers.replace(b"Www", b"WWW"))
        self.assertEqual(self.page.scrapes, 0)
