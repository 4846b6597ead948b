"""The factory of the serving end."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.admission import Admission
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.server import RemotingServerFactory
from tests.remoting.ends import Wire, asked, echoing

SOMEBODY = IPv4Address("TCP", "10.0.0.9", 4711)


class ServerFactoryTests(SynchronousTestCase):
    """Live connections, and their end."""

    def setUp(self) -> None:
        """Make a factory."""
        self.clock = Clock()
        self.gone: list[RemotingProtocol] = []
        self.factory = RemotingServerFactory(
            echoing(), self.clock, self.gone.append, idle_timeout=10
        )

    def connect(self) -> tuple[RemotingProtocol, Wire]:
        """Let one client connect."""
        protocol = self.factory.buildProtocol(SOMEBODY)
        assert protocol is not None
        wire = Wire()
        protocol.makeConnection(wire)
        return protocol, wire

    def test_serves(self) -> None:
        """Each connection uses the router, and is known while it lives."""
        protocol, wire = self.connect()
        self.assertEqual(self.factory.connections, {protocol})
        protocol.dataReceived(asked())
        self.assertEqual(len(wire.commands()), 1)

    def test_lost(self) -> None:
        """Who wants to know is notified of a connection that is gone."""
        protocol, _ = self.connect()
        protocol.connectionLost()
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.gone, [protocol])

    def test_limits(self) -> None:
        """Limits reach the protocols."""
        _, wire = self.connect()
        self.clock.advance(10)
        self.assertTrue(wire.disconnected)

    def test_too_many(self) -> None:
        """One too many is refused and logged; one that goes frees its place."""
        admission = Admission(3, 2)
        for _ in range(2):
            factory = RemotingServerFactory(echoing(), self.clock, admission=admission)
            used = [self.used(factory) for _ in range(2)]
            with capturedLogs() as events:
                made = [factory.buildProtocol(SOMEBODY) for _ in range(48)]
            self.assertEqual(made, [None] * 48)
            [event] = events
            self.assertIn("maxConnectionsPerAddress", event["why"])
            for protocol in used:
                protocol.connectionLost()
        self.assertEqual((admission.count, admission.refused), (0, 96))

    def test_unused_connections_give_way(self) -> None:
        """Connections that are only held open keep no client out."""
        admission = Admission(3, 2)
        factory = RemotingServerFactory(echoing(), self.clock, admission=admission)
        used = self.used(factory)
        idle = [self.made(factory) for _ in range(5)]
        self.assertEqual(
            [wire.disconnected for _, wire in idle], [True, True, True, True, False]
        )
        self.assertTrue(used.is_connected)
        for protocol, _ in idle:
            protocol.connectionLost()
        self.assertEqual((admission.count, admission.displaced), (1, 4))

    def made(self, factory: RemotingServerFactory) -> tuple[RemotingProtocol, Wire]:
        """Connect a client that sends nothing."""
        protocol, wire = factory.buildProtocol(SOMEBODY), Wire()
        assert protocol is not None
        protocol.makeConnection(wire)
        return protocol, wire

    def used(self, factory: RemotingServerFactory) -> RemotingProtocol:
        """Connect a client, and let it send a request."""
        protocol, _ = self.made(factory)
        protocol.dataReceived(asked())
        return protocol

    def test_close_all(self) -> None:
        """All connections are closed, and no new ones are taken."""
        (one, one_wire), (two, two_wire) = self.connect(), self.connect()
        closed = self.factory.close_all()
        self.assertTrue(one_wire.disconnecting and two_wire.disconnecting)
        self.assertIsNone(self.factory.buildProtocol(SOMEBODY))
        one.connectionLost()
        self.assertNoResult(closed)
        two.connectionLost()
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_all_cuts(self) -> None:
        """Those that do not read what they are sent are cut."""
        protocol, wire = self.connect()
        closed = self.factory.close_all(grace=2)
        self.clock.advance(2)
        self.assertTrue(wire.disconnected)
        protocol.connectionLost()
        self.successResultOf(closed)

    def test_malformed_for_ever(self) -> None:
        """Any number of peers that send nonsense leaves nothing behind."""
        self.nonsense(200)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.nonsense(100)
        before = tracemalloc.get_traced_memory()[0]
        self.nonsense(2000)
        self.assertLess(tracemalloc.get_traced_memory()[0] - before, 20_000)
        self.assertEqual(self.factory.connections, set())

    def nonsense(self, count: int) -> None:
        """Let many clients send nonsense, and be closed."""
        for _ in range(count):
            protocol, wire = self.connect()
            protocol.dataReceived(asked() + b"\xff" * 100)
            self.assertTrue(wire.disconnecting)
            protocol.connectionLost()
        self.gone.clear()
        gc.collect()

    def test_close_none(self) -> None:
        """Without connections it is done at once."""
        self.successResultOf(self.factory.close_all())
