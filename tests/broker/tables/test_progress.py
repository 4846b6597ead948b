"""Tests of how fast groups read, and how far they were sent messages."""

from __future__ import annotations

from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.progress import AT_ONCE, ConsumeProgress
from rocketmq_tw.remoting.pacing import all_at_once


class ProgressTests(SynchronousTestCase):
    """The entries of groups."""

    def setUp(self) -> None:
        """Make a table with room for three queues."""
        self.progress = ConsumeProgress(3)

    def sample(self, times: int = 1) -> None:
        """Let some times ten seconds pass."""
        for _ in range(times):
            all_at_once(self.progress.sample())

    def test_rate(self) -> None:
        """Of the last minute, or of the time since the first message."""
        entry = self.progress.entry("T", "G")
        entry.messages += 60
        self.assertEqual(self.progress.rate("T", "G"), 0.0)
        self.sample()
        self.assertEqual(self.progress.rate("T", "G"), 6.0)
        self.sample(5)
        self.assertEqual(self.progress.rate("T", "G"), 1.0)
        self.sample()
        self.assertEqual(self.progress.rate("T", "G"), 0.0)
        self.assertEqual(self.progress.rate("T", "Other"), 0.0)

    def test_pulled(self) -> None:
        """The offset of a queue; -1 if nothing was sent."""
        self.progress.entry("T", "G").pulled[1] = 7
        self.assertEqual(self.progress.pulled("T", "G", 1), 7)
        self.assertEqual(self.progress.pulled("T", "G", 0), -1)
        self.assertEqual(self.progress.pulled("T", "Other", 1), -1)

    def test_idle(self) -> None:
        """After ten minutes without messages an entry is dropped."""
        self.progress.entry("T", "G").messages += 1
        self.progress.entry("T", "Busy")
        for _ in range(61):
            self.progress.entry("T", "Busy").messages += 1
            self.sample()
        self.assertEqual(list(self.progress.table), [("T", "Busy")])

    def test_deleted_topic(self) -> None:
        """Its entries go, also while entries are sampled that end."""
        for topic in ("T", "Other"):
            self.progress.entry(topic, "G").pulled[0] = 7
        self.sample(59)
        with patch("rocketmq_tw.broker.tables.progress.AT_ONCE", 1):
            steps = self.progress.sample()
            next(steps)
            self.progress.remove_topic("Other")
            self.assertEqual(list(steps), [None])
        self.assertEqual(self.progress.table, {})

    def test_too_many_entries(self) -> None:
        """Others are counted nowhere."""
        for group in "abcd":
            self.progress.entry("T", group).pulled[0] = 1
        self.assertEqual((len(self.progress.table), self.progress.refused), (3, 1))
        self.assertEqual(self.progress.pulled("T", "d", 0), -1)

    def test_too_many_queues(self) -> None:
        """All are forgotten at the next sample, and counted anew."""
        entry = self.progress.entry("T", "G")
        entry.pulled.update(dict.fromkeys(range(4), 1))
        self.sample()
        self.assertEqual(entry.pulled, {})
        self.assertEqual(self.progress.refused, 1)
        entry.pulled.update({0: 1, 1: 1})
        self.sample()
        self.assertEqual(self.progress.queues, 2)

    def test_many_in_steps(self) -> None:
        """A step samples so many."""
        progress = ConsumeProgress(3 * AT_ONCE)
        for number in range(2 * AT_ONCE + 1):
            progress.entry("T", f"G{number}")
        self.assertEqual(len(list(progress.sample())), 3)
