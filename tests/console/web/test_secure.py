"""TLS of the console's port."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.web.secure import Secured
from rocketmq_tw.tls.settings import ServerMode, ServerTls
from tests.console.visits import Visits


class TcpTransport(StringTransport):
    """A connection by TCP."""

    def setTcpNoDelay(self, enabled: object) -> None:  # noqa: N802
        """Nothing is delayed in memory."""


class SecuredTests(SynchronousTestCase):
    """Connections with TLS."""

    def test_limit(self) -> None:
        """One more than may be is refused, until another has gone."""
        clock = Clock()
        visits = Visits(clock, None, is_secure=True, max_connections=1)
        secured = Secured(clock, ServerTls(mode=ServerMode.PERMISSIVE, is_test=True))
        self.addCleanup(secured.stop)
        factory = secured.start(visits.parts.factory)
        peer = IPv4Address("TCP", "127.0.0.1", 5555)
        first = factory.buildProtocol(peer)
        assert first is not None
        transport = TcpTransport(peerAddress=peer)
        first.makeConnection(transport)
        self.assertIsNone(factory.buildProtocol(peer))
        self.assertEqual(visits.parts.factory.refused, 1)
        clock.advance(20)
        self.assertTrue(transport.disconnected or transport.disconnecting)
