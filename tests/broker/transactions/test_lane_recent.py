"""Tests of rocketmq_tw.broker.transactions.lane_recent."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.lane_batch import HalfRun
from rocketmq_tw.broker.transactions.lane_recent import RecentHalves


def half(queue_offset: int, size: int = 10) -> HalfRun:
    """Make a half message that was stored."""
    queue: Any = None
    made = HalfRun(queue, size, 0, 0, 0, b"", b"", b"", 0, 0)
    made.queue_offset = queue_offset
    return made


class RecentTests(SynchronousTestCase):
    """What is kept."""

    def test_found(self) -> None:
        """By queue offset, until it is dropped."""
        recent = RecentHalves()
        one = half(7)
        recent.add(one)
        self.assertIs(recent.find(7), one)
        self.assertIsNone(recent.find(8))
        recent.drop(7)
        recent.drop(7)
        self.assertIsNone(recent.find(7))
        self.assertEqual((len(recent), recent.size), (0, 0))

    def test_so_many(self) -> None:
        """The oldest are dropped, also those of which many behind are taken."""
        recent = RecentHalves(most=3)
        for offset in range(10):
            recent.add(half(offset))
            if offset % 2:
                recent.drop(offset)
        self.assertEqual([n for n in range(10) if recent.find(n)], [8])
        for offset in range(10, 13):
            recent.add(half(offset))
        self.assertEqual([n for n in range(13) if recent.find(n)], [10, 11, 12])
        self.assertEqual((len(recent), recent.size), (3, 30))
        self.assertLessEqual(len(recent._order), 3)

    def test_so_many_bytes(self) -> None:
        """One that is too large by itself is not kept."""
        recent = RecentHalves(most_bytes=100)
        for offset in range(3):
            recent.add(half(offset, 40))
        self.assertEqual([n for n in range(3) if recent.find(n)], [1, 2])
        recent.add(half(3, 101))
        self.assertEqual((len(recent), recent.size), (0, 0))

    def test_again_from_the_start(self) -> None:
        """A queue that was deleted, and begins again, has other half messages."""
        recent = RecentHalves()
        for offset in (0, 1, 2):
            recent.add(half(offset))
        other = half(0)
        recent.add(other)
        self.assertIs(recent.find(0), other)
        self.assertEqual((len(recent), recent.size), (1, 10))
