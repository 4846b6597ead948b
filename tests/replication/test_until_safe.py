"""Tests of messages that are waited for one by one."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.until_safe import UntilSafe
from rocketmq_tw.wire.codes import ResponseCode

LATE = ResponseCode.FLUSH_SLAVE_TIMEOUT


class UntilSafeTests(SynchronousTestCase):
    """Messages that end at 100 and 200, and are waited for since 5 and 6."""

    def setUp(self) -> None:
        """Wait for them."""
        self.waiter = UntilSafe()
        self.first = self.waiter.add(100, 5.0)
        self.second = self.waiter.add(200, 6.0)

    def test_safe(self) -> None:
        """Once the log is safe up to their ends."""
        self.assertTrue(self.waiter.flushed(99))
        self.assertNoResult(self.first)
        self.assertTrue(self.waiter.flushed(100))
        self.assertIsNone(self.successResultOf(self.first))
        self.assertNoResult(self.second)
        self.assertFalse(self.waiter.flushed(200))
        self.assertIsNone(self.successResultOf(self.second))

    def test_late(self) -> None:
        """They fire with the code; those behind the first without one wait on."""
        self.assertEqual(self.waiter.expire(lambda end, since: None), 5.0)
        late = self.waiter.expire(lambda end, since: LATE if since < 6 else None)
        self.assertEqual(late, 6.0)
        self.assertEqual(self.successResultOf(self.first), LATE)
        self.assertNoResult(self.second)
        self.assertIsNone(self.waiter.expire(lambda end, since: LATE))
        self.assertEqual(self.successResultOf(self.second), LATE)

    def test_failed(self) -> None:
        """All of them fail."""
        self.waiter.failed(OSError())
        self.failureResultOf(self.first, OSError)
        self.failureResultOf(self.second, OSError)

    def test_cancelled(self) -> None:
        """Nobody waits for one of them any more."""
        self.first.cancel()
        self.failureResultOf(self.first, CancelledError)
        self.assertFalse(self.waiter.flushed(500))
        self.assertIsNone(self.successResultOf(self.second))
        self.assertEqual(len(self.waiter), 0)
