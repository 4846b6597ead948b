"""One connection in memory, byte by byte."""

from __future__ import annotations

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rocketmq_tw.testing.link import Link, LinkState, MemoryTransport


class End(Protocol):
    """Notes what came, and how the connection ended."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: list[type[BaseException]] = []
        self.paused = 0

    def dataReceived(self, data: bytes) -> None:
        """Note it."""
        self.received += data

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Note it."""
        self.lost.append(type(reason.value))

    def pauseProducing(self) -> None:
        """Count."""
        self.paused += 1

    def resumeProducing(self) -> None:
        """Count back."""
        self.paused -= 1


class LinkCase(SynchronousTestCase):
    """Has a link with a protocol at each end."""

    def setUp(self) -> None:
        """Make them."""
        self.clock = Clock()
        self.link = Link(self.clock, "10.0.0.9:50000", "10.0.0.1:9876")
        self.client, self.server = End(), End()
        self.link.near.attach(self.client)
        self.link.far.attach(self.server)

    def deliver(self) -> None:
        """Let all arrive."""
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DeliveryTests(LinkCase):
    """Bytes come in order, later."""

    def test_interface(self) -> None:
        """An end is a transport."""
        self.assertTrue(verifyObject(ITransport, self.link.near))
        self.assertEqual(self.link.near.getPeer().port, 9876)
        self.assertEqual(self.link.far.getPeer().host, "10.0.0.9")

    def test_later(self) -> None:
        """Nothing arrives inside ``write``."""
        self.link.near.write(b"a")
        self.link.near.writeSequence([b"b", b"c"])
        self.assertEqual(self.server.received, b"")
        self.deliver()
        self.assertEqual(self.server.received, b"abc")

    def test_before_the_protocol(self) -> None:
        """What is written to an end that is not accepted yet waits."""
        link = Link(self.clock, "10.0.0.9:50001", "10.0.0.1:9876")
        link.near.attach(self.client)
        link.near.write(b"a")
        self.deliver()
        server = End()
        link.far.attach(server)
        self.deliver()
        self.assertEqual(server.received, b"a")

    def test_an_end_that_does_not_read(self) -> None:
        """It holds the writer up once 64 KiB are in flight."""
        self.link.near.registerProducer(self.client, True)
        self.link.far.pauseProducing()
        self.link.near.write(b"x" * 65536)
        self.assertEqual(self.client.paused, 0)
        self.link.near.write(b"x")
        self.assertEqual(self.client.paused, 1)
        self.deliver()
        self.assertEqual((self.client.paused, self.server.received), (1, b""))
        self.link.far.resumeProducing()
        self.deliver()
        self.assertEqual((self.client.paused, len(self.server.received)), (0, 65537))

    def test_inspected(self) -> None:
        """Who inspects decides what the protocol gets."""
        self.link.far.inspect = lambda data: data.replace(b"a", b"")
        self.link.near.write(b"a")
        self.link.near.write(b"ab")
        self.deliver()
        self.assertEqual(self.server.received, b"b")


class CloseTests(LinkCase):
    """Both ends learn of the end once."""

    def ends(self) -> tuple[list[type[BaseException]], list[type[BaseException]]]:
        """Deliver, and give how each end was lost."""
        self.deliver()
        return self.client.lost, self.server.lost

    def test_lose(self) -> None:
        """What was written before arrives, what is written afterwards does not."""
        self.link.near.write(b"a")
        self.link.near.loseConnection()
        self.link.near.write(b"b")
        self.assertEqual(self.ends(), ([ConnectionDone], [ConnectionDone]))
        self.assertEqual(self.server.received, b"a")
        self.assertFalse(self.link.is_open)

    def test_abort(self) -> None:
        """What is in flight is lost."""
        self.link.near.write(b"a")
        self.link.near.abortConnection()
        self.assertEqual(self.ends(), ([ConnectionAborted], [ConnectionLost]))
        self.assertEqual(self.server.received, b"")

    def test_abort_while_closing(self) -> None:
        """The abort counts, whichever came first."""
        transport = self.link.near
        transport.write(b"a")
        transport.loseConnection()
        transport.abortConnection()
        transport.loseConnection()
        self.assertTrue(transport.disconnecting)
        self.assertFalse(self.link.far.disconnecting)
        self.assertEqual(self.ends(), ([ConnectionAborted], [ConnectionLost]))
        self.assertEqual(self.server.received, b"")
        self.assertTrue(transport.disconnecting)

    def test_closed_after_the_loss(self) -> None:
        """A lost end stays lost, and is notified once."""
        self.link.reset()
        self.deliver()
        self.assertFalse(self.link.near.disconnecting)
        self.link.near.loseConnection()
        self.link.near.abortConnection()
        self.assertFalse(self.link.near.is_connected)
        self.assertEqual(self.ends(), ([ConnectionLost], [ConnectionLost]))

    def test_reset(self) -> None:
        """The network breaks the connection."""
        self.link.reset()
        self.assertEqual(self.ends(), ([ConnectionLost], [ConnectionLost]))

    def test_a_process_that_dies(self) -> None:
        """What it has written still arrives."""
        self.link.far.write(b"bye")
        self.link.end_at("10.0.0.1")
        self.assertEqual(self.server.lost, [ConnectionLost])
        self.assertEqual(self.ends(), ([ConnectionLost], [ConnectionLost]))
        self.assertEqual(self.client.received, b"bye")


class FaultTests(LinkCase):
    """Links that are cut or silent."""

    def set(self, state: LinkState) -> MemoryTransport:
        """Change the state; give the client's end."""
        self.link.set_state(state)
        return self.link.near

    def test_cut(self) -> None:
        """Bytes wait until the link is open again."""
        self.set(LinkState.CUT).write(b"a")
        self.deliver()
        self.assertEqual(self.server.received, b"")
        self.set(LinkState.OPEN)
        self.deliver()
        self.assertEqual(self.server.received, b"a")

    def test_closed_while_cut(self) -> None:
        """The other end learns when the link is open again."""
        self.set(LinkState.CUT).loseConnection()
        self.deliver()
        self.assertEqual((self.client.lost, self.server.lost), ([ConnectionDone], []))
        self.set(LinkState.OPEN)
        self.deliver()
        self.assertEqual(self.server.lost, [ConnectionDone])

    def test_silent(self) -> None:
        """Bytes are lost, in flight or not, and the other end never learns."""
        self.link.near.write(b"a")
        self.set(LinkState.SILENT).write(b"b")
        self.link.set_state(LinkState.OPEN)
        self.link.near.abortConnection()
        self.deliver()
        self.assertEqual(self.server.received, b"")
        self.assertEqual(
            (self.client.lost, self.server.lost), ([ConnectionAborted], [])
        )
        self.assertTrue(self.link.is_open)
