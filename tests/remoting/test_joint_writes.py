"""Tests of the writes of many connections."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.joint_writes import GAP, MOST, OTHERS, JointWrites
from rocketmq_tw.remoting.write_through import Outbox


class Failing(StringTransport):
    """A transport that does not accept anything."""

    def write(self, data: bytes) -> None:
        """Fail."""
        raise RuntimeError("no")


class JointWritesTests(SynchronousTestCase):
    """Twenty connections of one server."""

    def setUp(self) -> None:
        """Let each have responded once."""
        self.clock = Clock()
        self.joint = JointWrites(self.clock)
        self.outboxes = [Outbox(self.clock, self.joint) for _ in range(OTHERS + 4)]
        for outbox in self.outboxes:
            outbox.transport = StringTransport()
        self.respond(*range(len(self.outboxes)), data=b".")
        self.clock.advance(0)

    def respond(self, *numbers: int, data: bytes = b"a") -> None:
        """Handle a read of each of some connections."""
        for number in numbers:
            outbox = self.outboxes[number]
            outbox.cork().append(data)
            outbox.uncork(self.clock.seconds())

    def written(self) -> list[bytes]:
        """Return what the first connections were sent."""
        return [outbox.transport.value() for outbox in self.outboxes[:3]]

    def test_one_behind_the_other(self) -> None:
        """Responses of one iteration are written at its end."""
        self.respond(0, 1)
        self.assertEqual(self.written(), [b".", b".", b"."])
        self.clock.advance(0)
        self.assertEqual(self.written(), [b".a", b".a", b"."])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_most(self) -> None:
        """With many of them the first are written earlier."""
        every = [n % len(self.outboxes) for n in range(MOST)]
        self.respond(*every[:-1])
        self.assertEqual(self.written(), [b".", b".", b"."])
        self.respond(every[-1])
        self.assertEqual(self.written(), [b".aa", b".aa", b".aa"])
        self.clock.advance(0)
        self.assertEqual(self.written(), [b".aa", b".aa", b".aa"])

    def test_few_connections(self) -> None:
        """Where few others have requested meanwhile, each is written at once."""
        for _ in range(5):
            self.respond(0, 1, 2)
        self.clock.advance(0)
        before = self.written()
        self.respond(0, 1, 2, data=b"b")
        self.assertEqual(self.written(), [each + b"b" for each in before])

    def test_time_between(self) -> None:
        """Where the reactor had to wait for a read, its response does not."""
        self.clock.advance(GAP * 2)
        self.respond(0)
        self.assertEqual(self.written(), [b".a", b".", b"."])
        self.respond(1)
        self.assertEqual(self.written(), [b".a", b".", b"."])

    def test_in_order(self) -> None:
        """What is written later is behind what waits."""
        self.respond(0, 1, 2)
        self.outboxes[0].write(b"b")
        self.assertEqual(self.written(), [b".ab", b".a", b".a"])
        self.respond(3, 4)
        self.outboxes[3].write_batched(b"c")
        self.clock.advance(0)
        self.assertEqual(self.outboxes[3].transport.value(), b".ac")

    def test_before_the_end(self) -> None:
        """Before a connection is closed, what waits is written."""
        self.respond(0)
        self.outboxes[0].uncork()
        self.assertEqual(self.written(), [b".a", b".", b"."])

    def test_failure(self) -> None:
        """A connection that cannot be written to costs the others nothing."""
        failing = self.outboxes[0].transport = Failing()
        self.respond(0, 1)
        self.clock.advance(0)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertTrue(failing.disconnected)
        self.assertEqual(self.outboxes[1].transport.value(), b".a")
