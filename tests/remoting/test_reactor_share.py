"""How long requests keep the reactor, counted on a clock that handlers advance."""

from __future__ import annotations

from functools import partial
from itertools import groupby

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.reactor_share import COSTLY, LIMIT, SLICE, ReactorShare
from rocketmq_tw.remoting.router import Router
from tests.remoting.ends import Echo, EchoResponse, Wire, asked, connected

#: Seconds that a request takes here: a little more than is cheap.
COST = COSTLY * 1.01


class Iterations(Clock):
    """A clock on which what a call schedules waits for the next iteration."""

    def iterate(self, times: int = 1) -> None:
        """Call what is due now, as a reactor does."""
        for _ in range(times):
            due = [call for call in self.calls if call.getTime() <= self.rightNow]
            for call in due:
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)


class Costly:
    """A server whose requests take time."""

    def __init__(self) -> None:
        self.clock = Iterations()
        self.share = ReactorShare(self.clock)
        self.router = Router()
        self.router.on(Echo, self.handle)
        #: Which request of which peer was handled, and when.
        self.handled: list[tuple[str, float]] = []
        self.cost = COST

    def connect(self, port: int = 1) -> tuple[RemotingProtocol, Wire]:
        """Make a connection."""
        wire = Wire(port=port)
        return connected(self.clock, self.router, wire, share=self.share)

    def handle(self, request: Echo, call: Call) -> EchoResponse:
        """Take a millisecond."""
        # Not advance(): no delayed call runs while a request is handled.
        self.clock.rightNow += self.cost
        self.handled.append((call.peer.address, self.clock.seconds()))
        return EchoResponse(text=request.text)


class SlowWire(Wire):
    """A transport whose writes take as long as those of large responses."""

    def __init__(self, clock: Clock, port: int) -> None:
        super().__init__(port=port)
        self._clock = clock

    def write(self, data: bytes) -> None:
        """Take three milliseconds."""
        self._clock.rightNow += 0.003
        super().write(data)


class SliceTests(SynchronousTestCase):
    """One connection."""

    def setUp(self) -> None:
        """Make a server and a connection."""
        self.server = Costly()
        self.protocol, self.wire = self.server.connect()
        self.timers = len(self.server.clock.calls)

    def test_a_read_of_many(self) -> None:
        """It is handled in slices, and in order; meanwhile nothing more is read."""
        self.protocol.dataReceived(b"".join(asked(opaque=n) for n in range(100)))
        self.assertLessEqual(self.server.clock.seconds(), SLICE + COST)
        self.assertEqual(self.wire.producerState, "paused")
        found = [command.opaque for command in self.wire.commands()]
        for _ in range(30):
            self.server.clock.iterate()
            found += [command.opaque for command in self.wire.commands()]
        self.assertEqual(found, list(range(100)))
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(len(self.server.clock.calls), self.timers)

    def test_a_few(self) -> None:
        """What fits is handled at once, without a delayed call."""
        self.protocol.dataReceived(asked() * 3)
        self.assertEqual(len(self.wire.commands()), 3)
        self.assertEqual(len(self.server.clock.calls), self.timers)

    def test_read_meanwhile(self) -> None:
        """Bytes that the transport still had are handled behind those before them."""
        self.protocol.dataReceived(b"".join(asked(opaque=n) for n in range(20)))
        self.protocol.dataReceived(b"".join(asked(opaque=n) for n in range(20, 30)))
        self.server.clock.iterate(20)
        found = [command.opaque for command in self.wire.commands()]
        self.assertEqual(found, list(range(30)))

    def test_lost_meanwhile(self) -> None:
        """Nothing is handled for a connection that is gone."""
        self.protocol.dataReceived(asked() * 20)
        handled = len(self.server.handled)
        self.protocol.connectionLost()
        self.server.clock.iterate(20)
        self.assertEqual(len(self.server.handled), handled)

    def test_malformed_behind_many(self) -> None:
        """The requests before a malformed frame are handled, then it is refused."""
        self.protocol.dataReceived(asked() * 20 + b"\0\0\0\1")
        self.assertFalse(self.wire.disconnecting)
        self.server.clock.iterate(20)
        self.assertEqual(len(self.wire.commands()), 20)
        self.assertTrue(self.wire.disconnecting)

    def test_resumed_meanwhile(self) -> None:
        """A peer that reads again does not get more than its slice."""
        self.protocol.dataReceived(asked() * 100)
        handled = len(self.server.handled)
        self.protocol.pauseProducing()
        self.protocol.resumeProducing()
        self.assertEqual(len(self.server.handled), handled)
        self.assertEqual(self.wire.producerState, "paused")


class ShareTests(SynchronousTestCase):
    """Many connections."""

    def setUp(self) -> None:
        """Make a server."""
        self.server = Costly()

    def test_all_in_one_iteration(self) -> None:
        """100 connections with 100 requests each have their limit together."""
        peers = [self.server.connect(n)[0] for n in range(100)]
        for peer in peers:
            peer.dataReceived(asked() * 100)
        self.assertLessEqual(self.server.clock.seconds(), LIMIT + COST)
        before = self.server.clock.seconds()
        self.server.clock.iterate()
        self.assertLessEqual(self.server.clock.seconds() - before, LIMIT + COST)

    def test_costly_ones_at_once(self) -> None:
        """Of 200 connections with a costly request those over the limit wait."""
        peers = [self.server.connect(n)[0] for n in range(200)]
        for peer in peers:
            peer.dataReceived(asked())
        self.assertLessEqual(self.server.clock.seconds(), LIMIT + COST)
        self.server.clock.iterate(20)
        self.assertEqual(len(self.server.handled), 200)

    def test_costly_writes(self) -> None:
        """What it takes to write the responses counts as well."""
        server = Costly()
        server.cost = 0.0
        for port in range(1, 101):
            wire = SlowWire(server.clock, port)
            peer, _ = connected(server.clock, server.router, wire, share=server.share)
            peer.dataReceived(asked())
            peer.dataReceived(asked())
        self.assertLessEqual(server.clock.seconds(), LIMIT + 0.003)
        while len(server.handled) < 200:
            before = server.clock.seconds()
            server.clock.iterate()
            self.assertLessEqual(server.clock.seconds() - before, LIMIT + 0.003)

    def test_postponed_work(self) -> None:
        """What is postponed shares the same time, and takes turns."""
        clock, done = Iterations(), list[int]()
        share = ReactorShare(clock)

        def work(number: int) -> None:
            clock.rightNow += 0.003
            done.append(number)

        for number in range(20):
            share.postpone_work(partial(work, number))
        self.assertEqual(done, [])
        while len(done) < 20:
            before = clock.seconds()
            clock.iterate()
            self.assertLessEqual(clock.seconds() - before, LIMIT + 0.003)
        self.assertEqual(done, list(range(20)))

    def test_one_fails(self) -> None:
        """It is logged, and those behind it continue."""
        clock = Iterations()
        share = ReactorShare(clock)
        done: list[int] = []
        share.postpone(lambda: 1 // 0)  # type: ignore[arg-type]
        share.postpone(lambda: done.append(1))
        clock.iterate()
        self.assertEqual(done, [1])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cheap_one_at_once(self) -> None:
        """A connection whose requests are cheap does not wait for costly ones."""
        self.server.cost = COSTLY / 2
        protocol, wire = self.server.connect(99)
        protocol.dataReceived(asked())
        self.server.cost = COST
        for port in range(1, 11):
            self.server.connect(port)[0].dataReceived(asked() * 100)
        self.server.cost = COSTLY / 2
        wire.clear()
        for _ in range(5):
            protocol.dataReceived(asked())
            self.assertEqual(len(wire.commands()), 1)
            self.server.clock.iterate()

    def test_in_turn(self) -> None:
        """Nobody is handled twice before all that wait were handled once."""
        for port in range(1, 11):
            self.server.connect(port)[0].dataReceived(asked() * 100)
        self.server.handled.clear()
        while len({peer for peer, _ in self.server.handled}) < 10:
            self.server.clock.iterate()
        turns = [peer for peer, _ in groupby(peer for peer, _ in self.server.handled)]
        self.assertEqual(len(set(turns[:10])), 10)

    def test_cheap_requests(self) -> None:
        """Requests that take no time leave no delayed call behind."""
        protocol, wire = connected(Clock(), self.server.router, share=self.server.share)
        self.server.clock.rightNow = 0.0
        for _ in range(15):
            protocol.dataReceived(asked())
        self.assertEqual(len(wire.commands()), 15)
        self.assertEqual(self.server.share.spent, 0.0)
