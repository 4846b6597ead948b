"""What failed attempts mean for the next one."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.producer.attempt import SendAttempt
from rocketmq_tw.client.producer.failed import FailedAttempts
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError, RequestTimeout

AWAY = ConnectError("a:1", "refused")
LATE = RequestTimeout("b:1", "late")


def attempt(broker_name: str, written: bool) -> SendAttempt:
    """Make an attempt that was started at 10 s."""
    brokers: Any = None
    made = SendAttempt(
        brokers, Clock(), MessageQueue("T", broker_name, 1), 10.0, 1.0, 10.0
    )
    made.written = written
    return made


class FailedAttemptsTests(SynchronousTestCase):
    """Two attempts, of which the second was written."""

    def setUp(self) -> None:
        """Add both."""
        self.failed = FailedAttempts()
        self.failed.add(attempt("a", written=False), AWAY, 10.5)
        self.first_maybe_sent = self.failed.maybe_sent
        self.failed.add(attempt("b", written=True), LATE, 11.0)

    def test_attempts(self) -> None:
        """Each has its broker, its queue, its time and its cause."""
        listed = [(a.broker_name, a.queue_id, a.elapsed) for a in self.failed.attempts]
        self.assertEqual(listed, [("a", 1, 0.5), ("b", 1, 1.0)])
        self.assertEqual([a.cause for a in self.failed.attempts], [AWAY, LATE])

    def test_received(self) -> None:
        """Only what was written may have been stored, and counts."""
        self.assertFalse(self.first_maybe_sent)
        self.assertTrue(self.failed.maybe_sent)
        self.assertEqual(self.failed.received, 1)

    def test_rounds(self) -> None:
        """With a new round no broker has failed yet; what was sent stays sent."""
        self.assertEqual(self.failed.brokers, {"a", "b"})
        self.failed.end_round()
        self.assertEqual((self.failed.rounds, self.failed.brokers), (1, set()))
        self.assertEqual((len(self.failed.attempts), self.failed.received), (2, 1))
