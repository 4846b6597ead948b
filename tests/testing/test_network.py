"""Hosts that listen and connect, without sockets."""

from __future__ import annotations

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import (
    CannotListenError,
    ConnectionLost,
    ConnectionRefusedError,
)
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rocketmq_tw.testing.network import MemoryNetwork, MemoryPort
from tests.testing.test_link import End


class Ends(Factory):
    """Makes ends, and keeps them."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[End] = []

    def buildProtocol(self, addr: object) -> End:  # type: ignore[override]
        """Make one."""
        self.made.append(End())
        return self.made[-1]


class NetworkCase(SynchronousTestCase):
    """Has a server that listens, and a host to connect from."""

    def setUp(self) -> None:
        """Listen on port 9876 of one host."""
        self.clock = Clock()
        self.network = MemoryNetwork(self.clock)
        self.server = self.network.reactor("10.0.0.1")
        self.host = self.network.reactor("10.0.0.9")
        self.served, self.connected = Ends(), Ends()
        endpoint = serverFromString(self.server, "tcp:9876")
        self.port: MemoryPort = self.successResultOf(endpoint.listen(self.served))

    def connect(self, where: str = "tcp:10.0.0.1:9876"):  # type: ignore[no-untyped-def]
        """Connect by an endpoint string."""
        connecting = clientFromString(self.host, where).connect(self.connected)
        self.clock.advance(0)
        return connecting


class NetworkTests(NetworkCase):
    """Connecting to who listens."""

    def test_connects(self) -> None:
        """Both ends have their protocols, and know where the other is."""
        protocol = self.successResultOf(self.connect())
        (served,) = self.served.made
        served.transport.write(b"hello")
        self.clock.advance(0)
        self.assertEqual(protocol.received, b"hello")
        self.assertEqual(served.transport.getPeer().host, "10.0.0.9")
        self.assertEqual(self.network.attempts, ["10.0.0.1:9876"])
        self.assertEqual(len(self.network.links), 1)

    def test_nobody_listens(self) -> None:
        """Then the connection is refused, and no time-out is left."""
        self.failureResultOf(self.connect("tcp:10.0.0.1:1"), ConnectionRefusedError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_own_host(self) -> None:
        """A host reaches its own ports by its loopback names."""
        self.host.listenTCP(1, self.served, interface="127.0.0.1")
        self.successResultOf(self.connect("tcp:127.0.0.1:1"))
        self.assertEqual(self.network.ports["10.0.0.9:1"].interface, "127.0.0.1")

    def test_port(self) -> None:
        """A port is taken once, and free again when it is closed."""
        self.assertTrue(verifyObject(IListeningPort, self.port))
        self.assertEqual(self.port.getHost().port, 9876)
        self.assertEqual(self.network.ports, {"10.0.0.1:9876": self.port})
        again = self.assertRaises(
            CannotListenError, self.server.listenTCP, 9876, self.served
        )
        self.assertIn("in use", str(again.socketError))
        self.port.stopListening()
        self.failureResultOf(self.connect(), ConnectionRefusedError)
        self.server.listenTCP(9876, self.served)
        self.successResultOf(self.connect())

    def test_backlog(self) -> None:
        """Who connects to a port that does not read is accepted when it does."""
        self.port.stopReading()
        protocol = self.successResultOf(self.connect())
        protocol.transport.write(b"early")
        self.clock.advance(0)
        self.assertEqual(self.served.made, [])
        self.port.startReading()
        self.clock.advance(0)
        self.assertEqual(self.served.made[0].received, b"early")

    def test_closed_backlog(self) -> None:
        """A port that is closed breaks the connections it never accepted."""
        self.port.stopReading()
        protocol = self.successResultOf(self.connect())
        self.port.stopListening()
        self.clock.advance(0)
        self.assertEqual(protocol.lost, [ConnectionLost])

    def test_not_accepted(self) -> None:
        """A server that makes no protocol closes the connection."""
        self.served.buildProtocol = lambda addr: None  # type: ignore[method-assign]
        protocol = self.successResultOf(self.connect())
        self.clock.advance(0)
        self.assertEqual(protocol.lost, [ConnectionLost])

    def test_links_that_are_over(self) -> None:
        """They are not listed any more."""
        protocol = self.successResultOf(self.connect())
        protocol.transport.loseConnection()
        self.clock.advance(0)
        self.assertEqual(self.network.links, [])
