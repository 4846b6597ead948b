"""Bytes leave at once, or together, or by the transport's buffer."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.joint_writes import JointWrites
from rocketmq_tw.remoting.write_through import Outbox, write_now


class Socket:
    """
    A socket that takes so many bytes at a time.

    :ivar sent: what it took.
    :ivar calls: how often it was asked.
    """

    def __init__(self, takes: int | OSError) -> None:
        self.takes = takes
        self.sent = b""
        self.calls = 0

    def send(self, data: bytes) -> int:
        """Take some."""
        self.calls += 1
        if isinstance(self.takes, OSError):
            raise self.takes
        self.sent += data[: self.takes]
        return min(self.takes, len(data))


class Transport(Connection):
    """
    A TCP transport.

    :ivar buffered: what was left to the transport.
    """

    def __init__(self, takes: int | OSError) -> None:
        self._tempDataBuffer = []
        self.socket = Socket(takes)
        self.buffered = b""

    @property
    def sent(self) -> bytes:
        """What the socket took."""
        return self.socket.sent

    def write(self, data: bytes) -> None:
        """Take the rest."""
        self.buffered += data


class WriteNowTests(SynchronousTestCase):
    """:func:`write_now`."""

    def test_at_once(self) -> None:
        """A socket that takes it all gets it all."""
        transport = Transport(100)
        write_now(transport, b"response")
        self.assertEqual((transport.sent, transport.buffered), (b"response", b""))

    def test_in_part(self) -> None:
        """What the socket does not take now, it gets later, in order."""
        transport = Transport(2)
        write_now(transport, b"response")
        self.assertEqual((transport.sent, transport.buffered), (b"re", b"sponse"))

    def test_full(self) -> None:
        """A socket that takes nothing gets it later."""
        transport = Transport(0)
        write_now(transport, b"response")
        self.assertEqual((transport.sent, transport.buffered), (b"", b"response"))

    def test_broken(self) -> None:
        """An error is left for the reactor to meet."""
        transport = Transport(BrokenPipeError())
        write_now(transport, b"response")
        self.assertEqual(transport.buffered, b"response")

    def test_not_ready(self) -> None:
        """A socket whose buffer is full gets it later."""
        transport = Transport(BlockingIOError())
        write_now(transport, b"response")
        self.assertEqual(transport.buffered, b"response")

    def test_long(self) -> None:
        """One system call offers all of it, however long it is."""
        transport = Transport(1 << 20)
        write_now(transport, bytes(1 << 20))
        self.assertEqual((transport.socket.calls, transport.buffered), (1, b""))

    def test_behind_what_waits(self) -> None:
        """Nothing overtakes what is in the buffer."""
        transport = Transport(100)
        transport.dataBuffer = b"first"
        write_now(transport, b"second")
        self.assertEqual((transport.sent, transport.buffered), (b"", b"second"))
        transport.dataBuffer = b""
        transport._tempDataBuffer = [b"first"]  # type: ignore[list-item]
        write_now(transport, b"third")
        self.assertEqual(transport.sent, b"")

    def test_on_its_way_out(self) -> None:
        """A transport that is closing decides itself."""
        transport = Transport(100)
        transport.disconnecting = True
        write_now(transport, b"late")
        self.assertEqual((transport.sent, transport.buffered), (b"", b"late"))

    def test_other_transports(self) -> None:
        """Other transports are written to as ever."""
        transport = StringTransport()
        write_now(transport, b"response")
        self.assertEqual(transport.value(), b"response")


class CountingTransport(StringTransport):
    """Counts how often it is written to."""

    writes = 0

    def write(self, data: bytes) -> None:
        """Count."""
        self.writes += 1
        super().write(data)


class OutboxTests(SynchronousTestCase):
    """Holding back, and letting go."""

    def setUp(self) -> None:
        """Make an outbox of a transport."""
        self.outbox = Outbox(Clock(), JointWrites(Clock()))
        self.outbox.transport = self.transport = CountingTransport()

    def test_at_once(self) -> None:
        """What is not held is written."""
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual((self.transport.value(), self.transport.writes), (b"ab", 2))

    def test_together(self) -> None:
        """What is held leaves in one write, in order; then all is as before."""
        self.outbox.cork()
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual(self.transport.writes, 0)
        self.outbox.uncork()
        self.outbox.write(b"c")
        self.assertEqual((self.transport.value(), self.transport.writes), (b"abc", 2))

    def test_not_too_much(self) -> None:
        """Beyond 64 KiB it is written meanwhile, and the rest is held again."""
        self.outbox.cork()
        self.outbox.write(b"a" * 40000)
        self.outbox.write(b"b" * 40000)
        self.assertEqual(self.transport.writes, 1)
        self.outbox.write(b"c")
        self.assertEqual(self.transport.writes, 1)
        self.outbox.uncork()
        self.assertEqual(len(self.transport.value()), 80001)

    def test_batched(self) -> None:
        """Responses of one iteration leave at its end, in order, in one write."""
        clock = Clock()
        self.outbox = Outbox(clock, JointWrites(clock))
        self.outbox.transport = self.transport
        for data in (b"a", b"b"):
            self.outbox.write_batched(data)
        self.assertEqual(self.transport.writes, 0)
        clock.advance(0)
        self.assertEqual((self.transport.value(), self.transport.writes), (b"ab", 1))
        self.outbox.write(b"c")
        self.assertEqual(self.transport.writes, 2)

    def test_batched_while_corked(self) -> None:
        """Holding while something is to leave soon loses nothing of it."""
        clock = Clock()
        self.outbox = Outbox(clock, JointWrites(clock))
        self.outbox.transport = self.transport
        self.outbox.write_batched(b"a")
        self.outbox.cork()
        self.outbox.write(b"b")
        self.outbox.uncork()
        clock.advance(0)
        self.assertEqual((self.transport.value(), self.transport.writes), (b"ab", 1))

    def test_nothing(self) -> None:
        """Letting go of nothing writes nothing."""
        self.outbox.cork()
        self.outbox.uncork()
        self.outbox.uncork()
        self.assertEqual(self.transport.writes, 0)
