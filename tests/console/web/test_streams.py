"""Responses that do not end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from rocketmq_tw.admin.errors import AdminError, NotFound
from rocketmq_tw.console.api.routes import Route, Routes
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.web.site import COOKIE, KEY_HEADER
from tests.console.visits import BEARER, TOKEN, HttpCase, Wire, request_bytes


class Source:
    """What a stream reads from: the test says what comes, and when."""

    def __init__(self) -> None:
        self._next: Deferred[Any] | None = None
        self.is_closed = False
        self.asked = 0

    def put(self, value: Any) -> None:
        """Pass a value, or an exception, to who waits for it."""
        waiting, self._next = self._next, None
        assert waiting is not None, "nobody waits"
        if isinstance(value, Exception):
            waiting.errback(value)
        else:
            waiting.callback(value)

    @property
    def is_asked(self) -> bool:
        """Whether the stream waits for the next value."""
        return self._next is not None

    async def lines(self) -> AsyncIterator[Any]:
        """Give the values."""
        try:
            while True:
                self.asked += 1
                self._next = Deferred()
                yield await self._next
        finally:
            self.is_closed = True


class StreamTests(HttpCase):
    """Lines, as they come."""

    settings = {"max_tails": 2}

    def setUp(self) -> None:
        """Add a route whose result is a stream."""
        super().setUp()
        self.sources: list[Source] = []
        self.visits.parts.site.add(Routes([self.route()]))
        self.addCleanup(self.visits.parts.site.stop)

    def route(self) -> Route:
        """Return the route of the stream."""
        return Route(
            method="GET",
            path="/api/stream",
            handle=self.handle,
            summary="",
            result=int,
            is_stream=True,
        )

    def handle(self, _call: Any) -> AsyncIterator[Any]:
        """Begin a stream."""
        self.sources.append(Source())
        return self.sources[-1].lines()

    def open(self) -> tuple[Wire, Source]:
        """Ask for the stream."""
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", "/api/stream", Authorization=BEARER))
        return wire, self.sources[-1]

    def lose(self, wire: Wire) -> None:
        """Let the browser go."""
        wire.channel.connectionLost(Failure(ConnectionDone()))

    def test_lines(self) -> None:
        """Each leaves at once, as a line of JSON; a failure is the last one."""
        wire, source = self.open()
        source.put({"a": 1})
        text = wire.transport.value()
        self.assertIn(b"Content-Type: application/x-ndjson", text)
        self.assertTrue(text.endswith(b'8\r\n{"a":1}\n\r\n'), text)
        source.put(AdminError("it is over"))
        text = wire.transport.value()
        self.assertIn(b'{"error":"it is over"}\n', text)
        self.assertTrue(text.endswith(b"0\r\n\r\n"))
        self.assertTrue(source.is_closed)

    def test_fails(self) -> None:
        """A defect is logged, and ends the stream with a sentence."""
        wire, source = self.open()
        source.put(RuntimeError("a defect"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        text = wire.transport.value()
        self.assertIn(b'{"error":"the console failed; the log', text)
        self.assertNotIn(b"a defect", text)
        self.assertTrue(text.endswith(b"0\r\n\r\n"))
        self.lose(wire)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_gone(self) -> None:
        """When the browser goes, the source is closed, and nothing is scheduled."""
        wire, source = self.open()
        self.lose(wire)
        self.assertTrue(source.is_closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow(self) -> None:
        """Nothing is asked for while the browser does not read."""
        wire, source = self.open()
        wire.transport.producer.pauseProducing()
        source.put(1)
        self.assertFalse(source.is_asked)
        wire.transport.producer.resumeProducing()
        self.assertTrue(source.is_asked)
        self.assertFalse(source.is_closed)

    def test_never_reads(self) -> None:
        """A browser that reads nothing for a minute is disconnected."""
        wire, source = self.open()
        self.clock.pump([15.0] * 8)
        self.assertFalse(wire.is_closed)
        wire.transport.producer.pauseProducing()
        source.put(1)
        self.clock.pump([15.0] * 6)
        self.assertTrue(wire.is_closed)
        self.lose(wire)
        self.assertTrue(source.is_closed)

    def test_signed_out(self) -> None:
        """It ends soon after its session."""
        sessions = self.visits.parts.site.sessions
        session = sessions.sign_in(TOKEN, "127.0.0.1")
        headers = {"Cookie": f"{COOKIE}={session.cookie}", KEY_HEADER: session.key}
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", "/api/stream", **headers))
        _, others = self.open()
        mine = self.sources[0]
        self.clock.advance(15)
        self.assertFalse(mine.is_closed)
        sessions.end(session)
        self.clock.advance(15)
        self.assertTrue(mine.is_closed)
        self.assertTrue(wire.transport.value().endswith(b"0\r\n\r\n"))
        self.assertFalse(others.is_closed)

    def test_too_many(self) -> None:
        """One more than may be is refused, until another has gone."""
        first, _ = self.open()
        self.open()
        refused, _ = self.open()
        response = refused.read()
        assert response is not None
        self.assertEqual(response.status, 429)
        self.assertIn("2 live tails already", response.error)
        self.assertEqual(len(self.sources), 2)
        self.lose(first)
        wire, _ = self.open()
        self.assertIn(b"200 OK", wire.transport.value())

    def opened_later(self) -> tuple[Wire, Deferred[Any]]:
        """Ask for a stream whose source is not open yet."""
        opening: Deferred[Any] = Deferred()
        self.handle = lambda _call: opening  # type: ignore[method-assign]
        self.visits.parts.site.add(Routes([self.route()]))
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", "/api/stream", Authorization=BEARER))
        self.assertEqual(wire.transport.value(), b"")
        return wire, opening

    def test_cannot_be_opened(self) -> None:
        """The response has a status that says so, and the stream is not counted."""
        for _ in range(3):
            wire, opening = self.opened_later()
            opening.errback(NotFound("topic", "nothing"))
            response = wire.read()
            assert response is not None
            self.assertEqual(response.status, 404)
            self.assertEqual(response.error, 'there is no topic "nothing"')
            self.lose(wire)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_opened_in_time(self) -> None:
        """A source that takes too long is given up."""
        wire, opening = self.opened_later()
        config = ConsoleConfig(listen="tcp:8080", token=TOKEN)
        self.clock.advance(config.response_timeout)
        response = wire.read()
        assert response is not None
        self.assertEqual(response.status, 504)
        self.assertTrue(opening.called)

    def test_gone_before_it_is_open(self) -> None:
        """The source is opened no further when the browser goes."""
        wire, opening = self.opened_later()
        self.lose(wire)
        self.assertTrue(opening.called)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_before_it_is_open(self) -> None:
        """The response says that the console stops."""
        wire, opening = self.opened_later()
        self.visits.parts.site.stop()
        self.assertTrue(opening.called)
        response = wire.read()
        assert response is not None
        self.assertEqual((response.status, response.error), (503, "the console stops"))

    def test_stop(self) -> None:
        """The console ends all streams when it stops."""
        wire, source = self.open()
        self.visits.parts.site.stop()
        self.assertTrue(source.is_closed)
        self.assertTrue(wire.transport.value().endswith(b"0\r\n\r\n"))
