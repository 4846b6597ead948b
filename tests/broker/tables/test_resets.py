"""Tests of rocketmq_tw.broker.tables.resets."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.tables.resets import PendingResets


class PendingResetsTests(SynchronousTestCase):
    """Resets wait for the consumers that have to learn of them."""

    def setUp(self) -> None:
        """Let two queues of one group wait."""
        self.resets = PendingResets(2)
        self.resets.add("G", "T", 0, 5)
        self.resets.add("G", "T", 1, 6)

    def test_each_is_taken_once(self) -> None:
        """The group's next pull of a queue takes its reset; others find none."""
        self.assertTrue(self.resets.waits("G", "T", 0))
        self.assertIsNone(self.resets.take("Other", "T", 0))
        self.assertIsNone(self.resets.take("G", "T", 2))
        self.assertEqual(self.resets.take("G", "T", 0), 5)
        self.assertIsNone(self.resets.take("G", "T", 0))
        self.assertEqual(self.resets.take("G", "T", 1), 6)
        self.assertFalse(self.resets)

    def test_limit(self) -> None:
        """No more wait than the limit; those that do can be changed."""
        self.assertRaises(TooManyOffsets, self.resets.add, "G", "T", 2, 7)
        self.resets.add("G", "T", 1, 8)
        self.assertEqual(self.resets.take("G", "T", 1), 8)
        self.resets.add("G", "T", 2, 7)
        self.assertEqual(len(self.resets), 2)

    def test_forget(self) -> None:
        """With its group or topic a reset is gone."""
        self.resets.forget("T", "G")
        self.resets.forget("T", "G")
        self.assertEqual(len(self.resets), 0)
        self.assertFalse(self.resets.waits("G", "T", 0))
