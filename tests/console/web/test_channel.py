"""Connections: how many, and how slow they may be."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from tests.console.visits import HttpCase, Wire, request_bytes


class ChannelTests(HttpCase):
    """Connections that take too long."""

    settings = {"request_timeout": 20.0, "idle_timeout": 60.0}

    def test_trickle(self) -> None:
        """A request that comes byte by byte has its time as a whole."""
        wire = Wire(self.visits.parts)
        for byte in request_bytes("GET", "/")[:19]:
            self.assertFalse(wire.is_closed)
            wire.send(bytes([byte]))
            self.clock.advance(1.1)
        self.assertTrue(wire.is_closed)

    def test_next_request(self) -> None:
        """The time of the next request begins with it."""
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", "/"))
        self.clock.advance(19)
        wire.transport.clear()
        wire.send(request_bytes("GET", "/"))
        self.assertIsNotNone(wire.read())
        self.clock.advance(30)
        self.assertFalse(wire.is_closed)

    def test_idle(self) -> None:
        """A connection that nobody uses is closed."""
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", "/"))
        self.clock.advance(61)
        self.assertTrue(wire.is_closed)

    def test_too_many_headers(self) -> None:
        """A request has 64 headers at most, and 16 KiB of them."""
        many = {f"A{i}": "b" for i in range(70)}
        for headers in (many, {"A": "b" * 17_000}):
            wire = Wire(self.visits.parts)
            wire.send(request_bytes("GET", "/", **headers))
            self.assertTrue(wire.is_closed)
            self.assertIn(b"400 Bad Request", wire.transport.value())

    def test_long_address(self) -> None:
        """An address of more than 16 KiB is refused, and logged."""
        lines: list[str] = []
        globalLogPublisher.addObserver(lambda e: lines.append(e.get("why", "")))
        wire = Wire(self.visits.parts, "203.0.113.7")
        wire.send(request_bytes("GET", "/api/topics?search=" + "a" * 20_000))
        self.assertTrue(wire.is_closed)
        self.assertTrue(wire.transport.value().startswith(b"HTTP/1.1 400 "))
        self.assertIn("a line of its request is over 16 KiB long", lines)


class FactoryTests(HttpCase):
    """How many connections there are."""

    settings = {"max_connections": 2}

    def test_limit(self) -> None:
        """One more is refused, until one of them has gone."""
        first, _second = Wire(self.visits.parts), Wire(self.visits.parts)
        self.assertIsNone(Wire(self.visits.parts).channel)
        self.assertEqual(self.visits.parts.factory.refused, 1)
        first.channel.connectionLost(Failure(ConnectionDone()))
        self.assertIsNotNone(Wire(self.visits.parts).channel)
        self.assertEqual(self.visits.parts.factory.count, 2)

    def test_close_all(self) -> None:
        """Nobody is served afterwards, and nothing is scheduled."""
        wire = Wire(self.visits.parts)
        self.visits.parts.factory.close_all()
        self.assertTrue(wire.is_closed)
        wire.channel.connectionLost(Failure(ConnectionDone()))
        self.assertIsNone(Wire(self.visits.parts).channel)
        self.assertEqual(self.clock.getDelayedCalls(), [])
