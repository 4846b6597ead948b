"""Tests of a connection's states: what is sent, handled and written in each."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting import state
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.state import ConnectionState
from tests.remoting.ends import Echo, EchoResponse, asked, connected


class StateTests(SynchronousTestCase):
    """The states of the drawing, one after the other."""

    def setUp(self) -> None:
        """Connect an end whose handler does what the test says."""
        self.handled = 0
        self.during: list[bool] = []
        self.closes = self.aborts = False
        router = Router()
        router.on(Echo, self.handle)
        self.protocol, self.wire = connected(Clock(), router)

    def handle(self, request: Echo, call: Call) -> EchoResponse:
        """Count, and end the connection if the test wants that."""
        self.handled += 1
        self.during.append(self.protocol.is_connected)
        if self.closes:
            self.protocol.close()
        if self.aborts:
            self.protocol.abort()
        return EchoResponse(text=request.text)

    def receive(self) -> int:
        """Receive two requests in one read. :returns: how many were responded to."""
        self.protocol.dataReceived(asked(opaque=1) + asked(opaque=2))
        return len(self.wire.commands())

    def test_drawing(self) -> None:
        """Every state has its place in the drawing."""
        for each in ConnectionState:
            self.assertIn(each.name, state.__doc__ or "")

    def test_new(self) -> None:
        """Nothing can be sent before it is connected."""
        self.assertFalse(RemotingProtocol(Router(), Clock()).is_connected)

    def test_open_and_handling(self) -> None:
        """Requests may be sent in both; the state is open again after handling."""
        self.assertTrue(self.protocol.is_connected)
        self.assertEqual((self.receive(), self.receive()), (2, 2))
        self.assertEqual(self.during, [True] * 4)

    def test_finishing(self) -> None:
        """The frame in hand has its response; the one behind it is not handled."""
        self.closes = True
        self.assertEqual((self.receive(), self.handled), (1, 1))
        self.assertFalse(self.protocol.is_connected)
        self.assertTrue(self.wire.disconnecting)

    def test_draining(self) -> None:
        """Nothing is handled while the transport sends the rest."""
        self.protocol.close()
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual((self.receive(), self.handled), (0, 0))
        self.assertFalse(self.protocol.is_connected)

    def test_gone(self) -> None:
        """An aborted connection writes nothing, not even the response in hand."""
        self.aborts = True
        self.assertEqual((self.receive(), self.handled), (0, 1))
        self.assertEqual((self.receive(), self.handled), (0, 1))
        self.assertFalse(self.protocol.is_connected)
