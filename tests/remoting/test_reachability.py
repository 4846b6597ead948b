"""A broker tries the address that it registers."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.reachability import CONNECT_LIMIT, ReachabilityCheck


class FakeBroker:
    """A broker that starts on request."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.started: Deferred[None] | None = Deferred()


class ReachabilityTests(SynchronousTestCase):
    """One attempt to connect, one line if it fails."""

    def check(self, address: str = "10.0.0.1:10911") -> list[Any]:
        """Start a broker and the check; give what it connects to."""
        self.reactor = MemoryReactorClock()
        self.broker = FakeBroker(address)
        self.service = ReachabilityCheck(self.reactor, self.broker)
        self.service.startService()
        assert self.broker.started is not None
        self.assertEqual(self.reactor.tcpClients, [])
        self.broker.started.callback(None)
        return self.reactor.tcpClients

    def warned(self, events: list[Any]) -> list[str]:
        """Give the lines of a log."""
        return [formatEvent(event) for event in events]

    def test_reached(self) -> None:
        """A connection that comes about is closed, without a word."""
        with capturedLogs() as events:
            [(host, port, factory, *_)] = self.check()
            protocol = factory.buildProtocol(None)
            transport = StringTransport()
            protocol.makeConnection(transport)
            self.reactor.advance(2 * CONNECT_LIMIT)
        self.assertEqual((host, port), ("10.0.0.1", 10911))
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.warned(events), [])

    def test_ipv6(self) -> None:
        """An IPv6 address loses its brackets."""
        [(host, port, *_)] = self.check("[::1]:10911")
        self.assertEqual((host, port), ("::1", 10911))

    def test_refused(self) -> None:
        """The warning has the address, the reason, and what to do."""
        with capturedLogs() as events:
            [(_, _, factory, *_)] = self.check()
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        [line] = self.warned(events)
        for words in ("10.0.0.1:10911", "refused", "--advertise", "brokerIP1"):
            self.assertIn(words, line)

    def test_no_response(self) -> None:
        """Silence is a failure after a second."""
        with capturedLogs() as events:
            self.check()
            self.reactor.advance(CONNECT_LIMIT)
        [line] = self.warned(events)
        self.assertIn("cannot reach itself: no response within 1 s;", line)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """A broker that stops is not warned of, and nothing is left."""
        with capturedLogs() as events:
            self.check()
            self.service.stopService()
        self.assertEqual(self.warned(events), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stopped_before_it_started(self) -> None:
        """A broker that is stopped while it starts is not checked."""
        reactor, broker = MemoryReactorClock(), FakeBroker("10.0.0.1:10911")
        service = ReachabilityCheck(reactor, broker)
        service.startService()
        service.stopService()
        assert broker.started is not None
        broker.started.callback(None)
        self.assertEqual(reactor.tcpClients, [])

    def test_failed_start(self) -> None:
        """The failure of a start stays for whoever ends the program."""
        broker = FakeBroker("10.0.0.1:10911")
        reactor = MemoryReactorClock()
        ReachabilityCheck(reactor, broker).startService()
        assert broker.started is not None
        broker.started.errback(ValueError())
        self.failureResultOf(broker.started, ValueError)
        self.assertEqual(reactor.tcpClients, [])
