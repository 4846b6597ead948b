"""Bytes leave at once, or together."""

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.eager import Outbox


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
        self.outbox = Outbox(Clock())
        self.outbox.transport = self.transport = CountingTransport()

    def test_at_once(self) -> None:
        """What is not held is written."""
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual((self.transport.value(), self.transport.writes), (b"ab", 2))

    def test_together(self) -> None:
        """What is held leaves in one write, in order; then all is as before."""
        self.outbox.hold()
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual(self.transport.writes, 0)
        self.outbox.release()
        self.outbox.write(b"c")
        self.assertEqual((self.transport.value(), self.transport.writes), (b"abc", 2))

    def test_not_too_much(self) -> None:
        """Beyond 64 KiB it is written meanwhile, and the rest is held again."""
        self.outbox.hold()
        self.outbox.write(b"a" * 40000)
        self.outbox.write(b"b" * 40000)
        self.assertEqual(self.transport.writes, 1)
        self.outbox.write(b"c")
        self.assertEqual(self.transport.writes, 1)
        self.outbox.release()
        self.assertEqual(len(self.transport.value()), 80001)

    def test_nothing(self) -> None:
        """Letting go of nothing writes nothing."""
        self.outbox.hold()
        self.outbox.release()
        self.outbox.release()
        self.assertEqual(self.transport.writes, 0)
