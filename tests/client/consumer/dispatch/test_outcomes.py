"""What a handler's outcome means for its messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.outcomes import (
    ACK,
    DEAD_LETTER,
    Partial,
    Retry,
    failures,
)
from tests.client.fakes import message


class FailuresTests(SynchronousTestCase):
    """A batch of two messages."""

    def setUp(self) -> None:
        """Make the batch."""
        self.one, self.other = self.batch = [message(1), message(2)]

    def test_consumed(self) -> None:
        """Nothing, ACK, and whatever else is no outcome."""
        for outcome in (None, ACK, False, 0, "retry"):
            self.assertEqual(failures(outcome, self.batch), ([], 0))

    def test_retry(self) -> None:
        """All are to be delivered again, after the level, or never."""
        self.assertEqual(failures(Retry(), self.batch), (self.batch, 0))
        self.assertEqual(failures(Retry(level=3), self.batch), (self.batch, 3))
        self.assertEqual(failures(DEAD_LETTER, self.batch), (self.batch, -1))

    def test_partial(self) -> None:
        """Only those that are named, and only if they are of the batch."""
        outcome = Partial(failed=[self.other, message(9)], level=2)
        self.assertEqual(failures(outcome, self.batch), ([self.other], 2))
