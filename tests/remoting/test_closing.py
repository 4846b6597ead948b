"""How many lost connections are closed in one reactor iteration."""

from __future__ import annotations

import socket
from types import SimpleNamespace

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.closing import (
    AT_ONCE,
    COUNT,
    MANY,
    TIME,
    Closings,
    PacedServer,
    close_in_turn,
)
from tests.remoting.test_reactor_share import Iterations

DONE = Failure(ConnectionDone())


class ClosingsTests(SynchronousTestCase):
    """Connections that wait to be closed; the clock advances when a test lets it."""

    def setUp(self) -> None:
        """Make the queue."""
        self.clock = Iterations()
        self.said: list[str] = []
        self.closings = Closings(
            self.clock,
            on_many=lambda: self.said.append("many"),
            on_none=lambda: self.said.append("none"),
        )
        self.closed: list[int] = []

    def lose(self, count: int, cost: float = 0.0) -> None:
        """Lose connections, each of which takes some time to close."""

        def close(number: int) -> None:
            self.clock.rightNow += cost
            self.closed.append(number)

        for number in range(count):
            if self.closings.may_close():
                close(number)
            else:
                self.closings.add(lambda number=number: close(number))  # type: ignore[misc]

    def test_few_are_closed_at_once(self) -> None:
        """A few connections do not wait; in the next iteration again."""
        for _ in range(3):
            self.lose(AT_ONCE)
            self.assertEqual(self.closed, list(range(AT_ONCE)))
            self.closed.clear()
            self.clock.iterate()
        self.assertFalse(self.clock.calls)

    def test_many_take_turns(self) -> None:
        """An iteration closes a limited number, in order, until none waits."""
        self.lose(1000)
        self.assertEqual(len(self.closed), AT_ONCE)
        self.assertEqual(len(self.closings), 1000 - AT_ONCE)
        iterations = 0
        while len(self.closings):
            before = len(self.closed)
            self.clock.iterate()
            iterations += 1
            self.assertLessEqual(len(self.closed) - before, COUNT)
        self.assertEqual(self.closed, list(range(1000)))
        self.assertEqual(iterations, 10)
        self.assertFalse(self.clock.calls)

    def test_costly_ones(self) -> None:
        """Those that take long are fewer in an iteration."""
        self.lose(100, cost=0.001)
        for _ in range(5):
            begin = self.clock.seconds()
            self.clock.iterate()
            self.assertLess(self.clock.seconds() - begin, TIME + 0.0011)
        self.assertEqual(len(self.closed), AT_ONCE + 25)

    def test_one_fails(self) -> None:
        """It is logged, and the others are closed."""
        self.lose(AT_ONCE)
        self.closings.add(lambda: 1 // 0)
        self.lose(MANY)
        for _ in range(10):
            self.clock.advance(0)
        self.assertEqual(len(self.closed), AT_ONCE + MANY)
        self.assertEqual(self.said, ["many", "none"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_many_stop_accepting(self) -> None:
        """While many wait, no connections are accepted; then they are again."""
        self.lose(AT_ONCE + MANY - 1)
        self.assertEqual(self.said, [])
        self.lose(100)
        self.assertEqual(self.said, ["many"])
        self.clock.iterate(10)
        self.assertEqual(self.said, ["many", "none"])


class Lost(Protocol):
    """Notes that its connection is lost."""

    lost = 0

    def connectionLost(self, reason: object = None) -> None:
        """Count."""
        self.lost += 1


class PacedServerTests(SynchronousTestCase):
    """Transports with real sockets, on a reactor in memory."""

    def setUp(self) -> None:
        """Let no connection be closed at once."""
        self.reactor = MemoryReactorClock()
        nothing = lambda: None  # noqa: E731
        self.closings = Closings(self.reactor, on_many=nothing, on_none=nothing)

    def connect(self) -> tuple[PacedServer, Lost]:
        """Make a connection whose peer does nothing."""
        mine, peers = socket.socketpair()
        self.addCleanup(mine.close)
        self.addCleanup(peers.close)
        protocol = Lost()
        transport = PacedServer(
            self.closings, mine, protocol, ("10.0.0.9", 1), None, 1, self.reactor
        )
        protocol.makeConnection(transport)
        return transport, protocol

    def test_waits(self) -> None:
        """It is closed later, once; until then it takes no data and no second loss."""
        for _ in range(AT_ONCE):
            transport, protocol = self.connect()
            transport.connectionLost(DONE)
            self.assertEqual(protocol.lost, 1)
        transport, protocol = self.connect()
        kept = transport.socket
        transport.connectionLost(DONE)
        transport.connectionLost(DONE)
        transport.write(b"dropped")
        transport.abortConnection()
        self.assertEqual((protocol.lost, len(self.closings)), (0, 1))
        self.assertNotEqual(kept.fileno(), -1)
        self.reactor.advance(0)
        self.assertEqual((protocol.lost, len(self.closings)), (1, 0))
        self.assertEqual(kept.fileno(), -1)
        self.assertNotIn(transport, self.reactor.getWriters())
        transport.connectionLost(DONE)
        self.assertEqual(protocol.lost, 1)

    def test_port(self) -> None:
        """The port makes such connections; a port of another kind is left alone."""
        port = SimpleNamespace(transport=Server)
        close_in_turn(port, self.closings)
        mine, peers = socket.socketpair()
        self.addCleanup(peers.close)
        self.addCleanup(mine.close)
        made = port.transport(mine, Lost(), ("10.0.0.9", 1), None, 1, self.reactor)
        self.assertIsInstance(made, PacedServer)
        other = SimpleNamespace(transport=int)
        close_in_turn(other, self.closings)
        self.assertIs(other.transport, int)
        close_in_turn(SimpleNamespace(), self.closings)
