"""Tests of what a failure of the disk means."""

from __future__ import annotations

import errno

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.health import DiskHealth


class DiskHealthTests(SynchronousTestCase):
    """One disk."""

    def setUp(self) -> None:
        """Begin with one that works."""
        self.reasons: list[str | None] = []
        self.broken: list[str] = []
        self.health = DiskHealth(
            on_failure=self.reasons.append, on_broken=self.broken.append
        )

    def test_an_fsync_fails_for_good(self) -> None:
        """It is reported once, and nothing heals it."""
        failure, retry = Failure(OSError(errno.EIO, "broken")), set[str]()
        for _ in range(2):
            self.assertIs(self.health.not_flushed(failure, ["path"], retry), failure)
        self.health.failed(failure)
        self.assertFalse(self.health.is_healthy)
        self.assertEqual((len(self.reasons), len(self.broken)), (1, 1))
        self.assertIn("read-only", self.broken[0])
        self.assertEqual(retry, set())
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_no_descriptor(self) -> None:
        """What could not be opened is tried again."""
        failure, retry = Failure(OSError(errno.EMFILE, "too many")), set[str]()
        self.health.not_flushed(failure, ["path"], retry)
        self.assertEqual((self.health.is_healthy, retry), (True, {"path"}))

    def test_others_end(self) -> None:
        """The first reason stays until something succeeds."""
        self.health.failed(Failure(OSError(errno.ENOSPC, "full")))
        self.health.failed(Failure(OSError(errno.EIO, "other")))
        self.assertIn("full", str(self.health.failure))
        self.health.succeeded()
        self.health.succeeded()
        self.assertIsNone(self.health.failure)
        self.assertEqual(self.reasons[-1], None)
        self.assertEqual(len(self.reasons), 3)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)
