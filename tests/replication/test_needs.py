"""Tests of the parts of a log that need different numbers of slaves."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.needs import Needs


class NeedsTests(SynchronousTestCase):
    """Messages that end at 700, 1900 and 2500, and need 2, 1 and 2 slaves."""

    def setUp(self) -> None:
        """Store them."""
        self.needs = Needs(2)
        self.needs.end = 700
        self.needs.change(1)
        self.needs.end = 1900
        self.needs.change(2)
        self.needs.end = 2500

    def safe(self, *acked: int) -> int:
        """Return what is safe if slaves have reported these offsets."""
        ordered = sorted(acked, reverse=True)
        return self.needs.safe(lambda n: ordered[n - 1] if n <= len(ordered) else -1)

    def test_first(self) -> None:
        """A later part waits for the first one."""
        self.assertEqual(self.safe(2500), -1)
        self.assertEqual(self.safe(2500, 699), 699)
        self.assertEqual(len(self.needs), 3)

    def test_next(self) -> None:
        """One slave is enough for the second part, but not for the third."""
        self.assertEqual(self.safe(1200, 700), 1200)
        self.assertEqual(self.safe(2500, 700), 1900)
        self.assertEqual(len(self.needs), 1)
        self.assertEqual(self.safe(2500, 2400), 2400)

    def test_dropped(self) -> None:
        """Nobody waits for the first part any more."""
        self.needs.drop_before(700)
        self.assertEqual(len(self.needs), 3)
        self.needs.drop_before(701)
        self.assertEqual(len(self.needs), 2)
        self.assertEqual(self.safe(1500), 1500)
        self.needs.drop_before(9999)
        self.assertEqual(len(self.needs), 1)
        self.assertEqual(self.safe(), 1900)

    def test_none_needed(self) -> None:
        """The master alone is enough for all that it has stored."""
        self.needs.drop_before(9999)
        self.needs.change(0)
        self.assertEqual(self.safe(2000), 1900)
        self.needs.end = 3000
        self.assertEqual(self.safe(2600, 2600), 3000)

    def test_no_message(self) -> None:
        """A number that was changed twice at once leaves no part without messages."""
        for slaves in (5, 6, 7):
            self.needs.change(slaves)
        self.assertEqual(len(self.needs), 4)
