"""The reactor of one host."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.internet.task import LoopingCall
from zope.interface.verify import verifyObject

from tests.testing.test_network import NetworkCase


class ReactorTests(NetworkCase):
    """Time, connections, and their end."""

    def test_interfaces(self) -> None:
        """It provides what services ask of a reactor."""
        self.assertTrue(verifyObject(IReactorTime, self.host))
        self.assertTrue(verifyObject(IReactorTCP, self.host))
        self.assertIn("10.0.0.9", repr(self.host))

    def test_own_calls(self) -> None:
        """All hosts have one time, but each its own calls."""
        calls = [self.host.callLater(delay, int) for delay in range(1, 200)]
        self.assertEqual(self.server.getDelayedCalls(), [])
        self.assertEqual(self.host.getDelayedCalls(), calls)
        self.clock.advance(150)
        self.assertEqual(self.host.getDelayedCalls(), calls[150:])
        self.assertEqual(self.server.seconds(), 150)

    def test_time_out(self) -> None:
        """Where packets do not pass, connecting takes its time, and fails."""
        self.network.cut("10.0.0.9", "10.0.0.1")
        connecting = self.connect("tcp:10.0.0.1:9876:timeout=5")
        self.clock.advance(4)
        self.assertNoResult(connecting)
        self.clock.advance(1)
        self.failureResultOf(connecting, TimeoutError)

    def test_given_up(self) -> None:
        """An attempt that is cancelled connects to nobody, and leaves no timer."""
        from twisted.internet.endpoints import clientFromString

        endpoint = clientFromString(self.host, "tcp:10.0.0.1:9876")
        connecting = endpoint.connect(self.connected)
        connecting.cancel()
        self.failureResultOf(connecting)
        self.clock.advance(0)
        self.assertEqual(self.served.made, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_shut_down(self) -> None:
        """Nothing of the host runs any more; who is connected learns of it."""
        ran: list[int] = []
        loop = LoopingCall(ran.append, 1)
        loop.clock = self.server
        loop.start(1, now=False)
        protocol = self.successResultOf(self.connect())
        self.server.shut_down()
        self.server.callLater(1, ran.append, 2)
        self.clock.advance(10)
        self.assertEqual(ran, [])
        self.assertEqual(protocol.lost, [ConnectionLost])
        self.failureResultOf(self.connect(), ConnectionRefusedError)
        loop.stop()

    def test_connecting_when_down(self) -> None:
        """It is refused at once."""
        self.host.shut_down()
        self.failureResultOf(self.connect(), ConnectionRefusedError)
        self.assertEqual(self.network.links, [])

    def test_calls_from_threads(self) -> None:
        """There are no threads: a call from one is made at once."""
        self.assertEqual(self.host.getThreadPool().__class__.__name__[:6], "Thread")
        ran: list[int] = []
        self.host.callFromThread(ran.append, 1)
        self.assertEqual(ran, [1])
