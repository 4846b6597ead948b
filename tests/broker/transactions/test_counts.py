"""Tests of rocketmq_tw.broker.transactions.counts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.counts import TransactionCounts


class CountTests(SynchronousTestCase):
    """Two topics at most."""

    def setUp(self) -> None:
        """Begin with three half messages of one topic, at 0 to 2."""
        self.counts = TransactionCounts(2)
        for _ in range(3):
            self.counts.stored(b"T")

    def of(self, topic: bytes = b"T") -> tuple[int, int, int]:
        """Return the numbers of a topic."""
        found = self.counts.of(topic)
        return found.halves, found.commits, found.rollbacks

    def test_ends(self) -> None:
        """Each end counts off a half message, and is counted itself."""
        self.counts.committed(0, b"T", 5)
        self.counts.rolled_back(1, b"T", 6)
        self.assertEqual((self.of(), self.counts.halves), ((1, 1, 1), 1))

    def test_left(self) -> None:
        """One that was given up is no end."""
        self.counts.left(0, b"T")
        self.assertEqual(self.of(), (2, 0, 0))

    def test_listener(self) -> None:
        """Who asks gets to know of commits, and when their half messages were born."""
        ends: list[tuple[bytes, int]] = []
        self.counts.on_commit = lambda topic, born_ms: ends.append((topic, born_ms))
        self.counts.committed(0, b"T", 5)
        self.counts.rolled_back(1, b"T", 6)
        self.counts.left(2, b"T")
        self.assertEqual(ends, [(b"T", 5)])

    def test_never_below_zero(self) -> None:
        """What was not counted is not counted off."""
        self.counts.committed(0, b"U", 5)
        self.assertEqual(self.of(b"U"), (0, 1, 0))

    def test_limit(self) -> None:
        """There are no more topics; their half messages count for all."""
        for topic in (b"U", b"V", b"V"):
            self.counts.stored(topic)
        self.counts.committed(5, b"V", 5)
        self.assertEqual(set(self.counts.table), {b"T", b"U"})
        self.assertEqual(self.counts.halves, 5)

    def test_deleted(self) -> None:
        """A topic that is deleted has none."""
        self.counts.drop(b"T")
        self.counts.drop(b"unknown")
        self.assertEqual((self.counts.table, self.counts.halves), ({}, 0))

    def test_counted_again(self) -> None:
        """What ends meanwhile is counted off only if it was counted before."""
        self.counts.begin(0, 3)
        self.assertEqual(self.of(), (0, 0, 0))
        self.counts.seen([b"T", b"T"], 2)
        self.counts.committed(2, b"T", 5)
        self.assertEqual(self.of(), (2, 1, 0))
        self.counts.committed(1, b"T", 5)
        self.counts.stored(b"T")
        self.counts.rolled_back(3, b"T", 5)
        self.counts.seen([], 3)
        self.counts.finish()
        self.assertEqual(self.of(), (1, 2, 1))
        self.counts.committed(0, b"T", 5)
        self.assertEqual(self.of(), (0, 3, 1))
