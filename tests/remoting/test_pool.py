"""Connections by address: made once, made again, given up."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rocketmq_tw.remoting.errors import ConnectError, ConnectionLost, RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from tests.remoting.ends import Echo, Wire, response_frame

HERE = "10.0.0.1:10911"


@implementer(IStreamClientEndpoint)
class Attempts:
    """An endpoint whose attempts are ended by the test."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[Protocol]] = []
        self.factories: list[IProtocolFactory] = []
        self.cancelled = 0

    def connect(self, factory: IProtocolFactory) -> Deferred[Protocol]:
        """Begin an attempt."""
        self.factories.append(factory)
        self.waiting.append(Deferred(self._cancel))
        return self.waiting[-1]

    def _cancel(self, _attempt: Deferred[Protocol]) -> None:
        """Count an attempt that was given up."""
        self.cancelled += 1

    def succeed(self, number: int = -1) -> Wire:
        """Let an attempt succeed."""
        protocol = self.factories[number].buildProtocol(None)  # type: ignore[arg-type]
        wire = Wire()
        protocol.makeConnection(wire)  # type: ignore[union-attr]
        wire.protocol = protocol  # type: ignore[attr-defined]
        self.waiting[number].callback(protocol)  # type: ignore[arg-type]
        return wire


class PoolTests(SynchronousTestCase):
    """One address."""

    def setUp(self) -> None:
        """Make a pool whose connections are made by hand."""
        self.clock = Clock()
        self.attempts = Attempts()
        self.pool = ConnectionPool(
            self.clock, endpoint_for=lambda address: self.attempts, idle_timeout=0
        )

    def test_single_flight(self) -> None:
        """All who want the same address wait for the same attempt."""
        first, second = self.pool.connection(HERE), self.pool.connection(HERE)
        self.assertEqual(len(self.attempts.waiting), 1)
        self.attempts.succeed()
        connection = self.successResultOf(first)
        self.assertIs(self.successResultOf(second), connection)
        self.assertIs(self.successResultOf(self.pool.connection(HERE)), connection)
        self.assertIs(self.pool.live(HERE), connection)
        self.assertEqual(len(self.attempts.waiting), 1)

    def test_notified(self) -> None:
        """Who wants to know is notified of a new connection before it is used."""
        told: list[tuple[str, RemotingProtocol]] = []
        self.pool.on_connected.append(lambda *what: told.append(what))
        waiting = self.pool.connection(HERE)
        self.attempts.succeed()
        self.assertEqual(told, [(HERE, self.successResultOf(waiting))])

    def test_notified_in_vain(self) -> None:
        """What one does with the news may fail: it is logged, the others go on."""
        heard: list[str] = []
        self.pool.on_connected.append(lambda *what: 1 // 0)  # type: ignore[arg-type]
        self.pool.on_connected.append(lambda address, _: heard.append(address))
        waiting = self.pool.connection(HERE)
        self.attempts.succeed()
        self.successResultOf(waiting)
        self.assertEqual(heard, [HERE])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_call(self) -> None:
        """A call connects, asks and is answered."""
        called = self.pool.call(HERE, Echo(text="hi"))
        wire = self.attempts.succeed()
        (request,) = wire.commands()
        wire.protocol.dataReceived(response_frame(request.opaque))  # type: ignore
        self.assertEqual(self.successResultOf(called).text, "hi")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_call_time_out(self) -> None:
        """Connecting and waiting for the response share the time."""
        called = self.pool.call(HERE, Echo(text="hi"), timeout=2.5)
        self.clock.advance(2)
        wire = self.attempts.succeed()
        self.clock.advance(0.6)
        self.failureResultOf(called, RequestTimeout)
        self.assertTrue(wire.protocol.is_connected)  # type: ignore[attr-defined]

    def test_refused(self) -> None:
        """All who waited learn why; the next one tries again."""
        both = self.pool.connection(HERE), self.pool.connection(HERE)
        self.attempts.waiting[0].errback(ConnectionRefusedError(111))
        for each in both:
            error = self.failureResultOf(each, ConnectError).value
            self.assertIn(f"{HERE}: could not connect: ", str(error))
            self.assertIsInstance(error.__cause__, ConnectionRefusedError)
        again = self.pool.connection(HERE)
        self.attempts.succeed()
        self.successResultOf(again)

    def test_connect_time_out(self) -> None:
        """An attempt is given up after three seconds."""
        waiting = self.pool.connection(HERE)
        self.clock.advance(3)
        error = self.failureResultOf(waiting, ConnectError).value
        self.assertEqual(str(error), f"{HERE}: could not connect within 3 s")
        self.assertEqual(self.attempts.cancelled, 1)

    def test_reconnects(self) -> None:
        """A connection that was lost is made again when it is needed."""
        self.pool.connection(HERE)
        wire = self.attempts.succeed()
        wire.protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore
        self.assertIsNone(self.pool.live(HERE))
        again = self.pool.connection(HERE)
        self.assertNoResult(again)
        self.attempts.succeed()
        self.assertIs(self.successResultOf(again), self.pool.live(HERE))

    def test_lost_while_called(self) -> None:
        """A call on a connection that goes fails; it is not sent again."""
        called = self.pool.call(HERE, Echo(text="hi"))
        wire = self.attempts.succeed()
        wire.protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore
        self.failureResultOf(called, ConnectionLost)
        self.assertEqual(len(self.attempts.waiting), 1)

    def test_one_gives_up(self) -> None:
        """One who gives up waiting does not spoil it for the others."""
        one, two = self.pool.connection(HERE), self.pool.connection(HERE)
        one.cancel()
        self.failureResultOf(one, CancelledError)
        self.attempts.succeed()
        self.successResultOf(two)

    def test_one_gives_up_late(self) -> None:
        """Not even when it gives up because another was served."""
        one, two = self.pool.connection(HERE), self.pool.connection(HERE)
        three = self.pool.connection(HERE)
        one.addCallback(lambda _: two.cancel())
        self.attempts.succeed()
        self.failureResultOf(two, CancelledError)
        self.successResultOf(three)

    def test_close(self) -> None:
        """One address can be closed; the others stay."""
        self.pool.connection(HERE)
        wire = self.attempts.succeed()
        self.pool.connection("10.0.0.2:10911")
        other = self.attempts.succeed()
        closed = self.pool.close(HERE)
        self.assertTrue(wire.disconnecting)
        self.assertFalse(other.disconnecting)
        wire.protocol.connectionLost()  # type: ignore[attr-defined]
        self.successResultOf(closed)
        self.successResultOf(self.pool.close(HERE))

    def test_close_all(self) -> None:
        """Everything is closed, attempts included, and nothing is made any more."""
        self.pool.connection(HERE)
        wire = self.attempts.succeed()
        unmade = self.pool.connection("10.0.0.2:10911")
        closed = self.pool.close_all()
        error = self.failureResultOf(unmade, ConnectError).value
        self.assertEqual(str(error), "10.0.0.2:10911: the pool is closed")
        wire.protocol.connectionLost()  # type: ignore[attr-defined]
        self.successResultOf(closed)
        self.failureResultOf(self.pool.call(HERE, Echo(text="x")), ConnectError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_all_cuts(self) -> None:
        """A server that does not read is cut after the grace."""
        self.pool.connection(HERE)
        wire = self.attempts.succeed()
        self.pool.close_all(grace=1)
        self.clock.advance(1)
        self.assertTrue(wire.disconnected)


class EndpointTests(SynchronousTestCase):
    """How an address becomes an endpoint."""

    def test_template(self) -> None:
        """By default it is TCP to that host and port."""
        reactor = MemoryReactorClock()
        ConnectionPool(reactor).connection(HERE)
        self.assertEqual(reactor.tcpClients[0][:2], ("10.0.0.1", 10911))

    def test_nonsense(self) -> None:
        """An address that is none fails the call, in words."""
        pool = ConnectionPool(MemoryReactorClock())
        error = self.failureResultOf(pool.connection("nowhere"), ConnectError).value
        self.assertEqual(
            str(error), 'nowhere: could not connect: "nowhere" is not host:port'
        )

    def test_endpoint_string(self) -> None:
        """Only an address of the configuration may be one; a server's is not."""
        for named in (
            "unix:/run/docker.sock",
            "unix:path=/run/docker.sock",
            "tls:evil.example:443:certificate=/etc/passwd",
            "tcp:10.0.0.1:10911",
            "haproxy:tcp:10.0.0.1:10911",
        ):
            reactor = MemoryReactorClock()
            pool = ConnectionPool(reactor, configured=["unix:/run/mq"])
            error = self.failureResultOf(pool.connection(named), ConnectError).value
            self.assertEqual(
                str(error), f"{named}: could not connect: it is not host:port"
            )
            failed = pool.connect(named, Factory())
            self.failureResultOf(failed, ConnectError)
            self.assertEqual((reactor.tcpClients, reactor.unixClients), ([], []))
            pool.connection("unix:/run/mq")
            self.assertEqual(reactor.unixClients[0][0], "/run/mq")

    def test_close_none(self) -> None:
        """A pool that was never used is closed at once."""
        self.successResultOf(ConnectionPool(Clock()).close_all())
