"""The two ports of a broker."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.ports import Ports
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.pull import LitePullMessage, PullMessage
from rocketmq_tw.wire.requests.send import SendMessage


class PortsTests(SynchronousTestCase):
    """Ports of a reactor in memory."""

    def setUp(self) -> None:
        """Make a router that handles sends and pulls."""
        self.reactor = MemoryReactorClock()
        self.router = Router()
        for kind in (SendMessage, PullMessage, LitePullMessage):
            self.router.on(kind, lambda request, call: Response())
        self.lost: list[Any] = []

    def take(self, **settings: Any) -> Ports:
        """Take the ports of a broker."""
        ports = Ports(
            reactor=self.reactor,
            config=BrokerConfig(**settings),
            router=self.router,
            on_lost=self.lost.append,
        )
        self.port = self.successResultOf(Deferred.fromCoroutine(ports.take()))
        return ports

    def connect(self, index: int) -> Any:
        """Connect to the port that was taken then."""
        protocol = self.reactor.tcpServers[index][1].buildProtocol(None)
        protocol.makeConnection(StringTransport())
        return protocol

    def test_both_are_taken(self) -> None:
        """The fast port is two below; an endpoint string's other parts stay."""
        self.take(listen_port=10911)
        self.take(listen="tcp:20911:interface=127.0.0.1:backlog=7")
        found = [(port, host) for port, _, _, host in self.reactor.tcpServers]
        everywhere, here = "", "127.0.0.1"
        expected = [(10911, everywhere), (10909, everywhere), (20911, here)]
        self.assertEqual(found, [*expected, (20909, here)])
        self.assertEqual([s[2] for s in self.reactor.tcpServers[2:]], [7, 7])
        self.assertEqual(self.port, 20911)

    def test_gauges(self) -> None:
        """Connections of both ports are counted together, until they are gone."""
        ports = self.take(listen_port=10911, max_connections=3)
        ports.accept()
        one, _ = self.connect(0), self.connect(1)
        gauges = ports.gauges()
        shown = ("connections", "connectionsRefused", "connectionsDisplaced")
        self.assertEqual([gauges[name]() for name in shown], [2, 0, 0])
        one.connectionLost()
        self.assertEqual([gauges[name]() for name in shown], [1, 0, 0])
        self.connect(0), self.connect(0), self.connect(1)
        self.assertEqual([gauges[name]() for name in shown], [3, 0, 1])
        self.assertEqual(gauges["bufferedSize"](), 0)
        self.assertEqual(gauges["bufferedConnectionsClosed"](), 0)

    def test_no_fast_port_below_1(self) -> None:
        """Where two below the main port there is none, it is left out."""
        self.take(listen_port=2)
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [2])

    def test_fast_port_takes_no_pulls(self) -> None:
        """Both kinds of pulls are unknown there, and nothing else is."""
        self.take().accept()
        main, fast = self.connect(0), self.connect(1)
        for code, is_there in ((10, True), (11, False), (361, False)):
            self.assertIsNotNone(main._inbound._find(code))
            self.assertEqual(fast._inbound._find(code) is not None, is_there)

    def test_lost_connections(self) -> None:
        """Whoever asked for it is notified of each, of both ports."""
        self.take().accept()
        connections = [self.connect(0), self.connect(1)]
        for connection in connections:
            connection.connectionLost()
        self.assertEqual(self.lost, connections)

    def test_close(self) -> None:
        """Connections outlive the ports, until they are closed too."""
        ports = self.take()
        ports.accept()
        connections = [self.connect(0), self.connect(1)]
        self.successResultOf(Deferred.fromCoroutine(ports.stop_listening()))
        self.assertFalse(connections[0].transport.disconnecting)
        closed = Deferred.fromCoroutine(ports.close())
        for connection in connections:
            self.assertNoResult(closed)
            self.assertTrue(connection.transport.disconnecting)
            connection.connectionLost()
        self.successResultOf(closed)
