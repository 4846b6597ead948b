"""A server and a client with TLS, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.buffers import BufferBudget
from rocketmq_tw.remoting.handshakes import Handshakes
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.remoting.tls import ServerSide
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.tls.settings import ServerTls, Tls
from tests.remoting.ends import echoing
from tests.tls.authority import NOW, Authority

HERE = "10.0.0.1"
ADDRESS = f"{HERE}:9876"


class TlsCase(SynchronousTestCase):
    """One server, and clients of several kinds."""

    def setUp(self) -> None:
        """Make an authority and a network."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.network = MemoryNetwork(self.clock)
        self.authority = Authority(self.mktemp())
        self.certificate, self.key = self.authority.issue(hosts=(HERE, "mq.example"))
        self.budget = BufferBudget()

    def serve(self, *, timeout: float = 10, limit: int = 1000, **settings: Any) -> None:
        """Start the server, by default with its certificate."""
        if not settings.get("is_test"):
            settings.setdefault("certificate", self.certificate)
            settings.setdefault("key", self.key)
        reactor = self.network.reactor(HERE)
        peers = PeerLog(self.clock)
        self.handshakes = Handshakes(self.clock, limit=limit, timeout=timeout)
        self.side = ServerSide(
            ServerTls(**settings),
            reactor=reactor,
            peers=peers,
            handshakes=self.handshakes,
            budget=self.budget,
        )
        self.side.start()
        self.factory = RemotingServerFactory(
            echoing(), self.clock, peers=peers, budget=self.budget
        )
        self.listener = Listener(reactor, self.side)
        self.successResultOf(self.listener.start("tcp:9876", self.factory))

    def pool(self, host: str = "10.0.0.9", **settings: Any) -> ConnectionPool:
        """Make a client, by default one that trusts the authority."""
        settings.setdefault("ca_file", self.authority.ca)
        return ConnectionPool(
            self.network.reactor(host), tls=Tls(**settings), connect_timeout=5
        )

    def plain_pool(self) -> ConnectionPool:
        """Make a client without TLS."""
        return ConnectionPool(self.network.reactor("10.0.0.8"))

    def run_clock(self, seconds: float = 0.0) -> None:
        """Let all that is due happen."""
        self.clock.advance(seconds)
        for _ in range(30):
            self.clock.advance(0)

    def socket(self, host: str = "10.0.0.7") -> RawClient:
        """Connect a client that sends whatever bytes it likes."""
        made = RawClient(self.network, host)
        self.run_clock()
        return made


class RawClient:
    """
    A client that is no RocketMQ client.

    :ivar received: what came.
    :ivar lost: whether the connection is gone.
    """

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        link = network.connect(host, ADDRESS)
        assert link is not None, "nobody listens"
        self._transport = link.near
        self.received = b""
        self.lost = False
        network.accept(link, ADDRESS)
        link.near.attach(self)

    def makeConnection(self, transport: Any) -> None:  # noqa: N802
        """It is connected."""

    def dataReceived(self, data: bytes) -> None:
        """Collect what comes."""
        self.received += data

    def connectionLost(self, reason: Any) -> None:
        """It is gone."""
        self.lost = True

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    #: As a transport writes.
    write = send

    def close(self) -> None:
        """Close the connection."""
        self._transport.loseConnection()


class Raw(StringTransport):
    """A socket's transport with the attribute that handshakes set."""

    protocol: Any = None
