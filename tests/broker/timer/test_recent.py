"""The timed messages that were stored last."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.recent import RecentSends


class RecentSendsTests(SynchronousTestCase):
    """At most five messages."""

    def setUp(self) -> None:
        """Keep none yet."""
        self.recent = RecentSends(5)

    def add(self, *queue_offsets: int) -> None:
        """Add messages, which have their queue offsets as commit log offsets."""
        for each in queue_offsets:
            self.recent.add(each, (b"T", 1000, 0, each, 99))

    def found(self, start: int, end: int = 1000) -> list[int]:
        """Look for messages; return their offsets."""
        return [each[3] for each in self.recent.find(start, end)]

    def test_find(self) -> None:
        """Those from an offset on are found, and those before it dropped."""
        self.add(7, 8, 9, 10)
        self.assertEqual(self.found(7, 9), [7, 8])
        self.assertEqual(self.found(9), [9, 10])
        self.assertEqual(len(self.recent), 2)
        self.assertEqual(self.found(8), [])
        self.assertEqual(self.found(11), [])
        self.assertEqual(len(self.recent), 0)

    def test_continued(self) -> None:
        """What comes after all was linked is kept as well."""
        self.add(7)
        self.assertEqual(self.found(8), [])
        self.add(8, 9)
        self.assertEqual(self.found(8), [8, 9])

    def test_not_yet(self) -> None:
        """None is found that is not on disk yet."""
        self.add(7, 8)
        self.assertEqual(self.found(7, 7), [])
        self.assertEqual(self.found(7), [7, 8])

    def test_gaps(self) -> None:
        """What others stored is to be read: so many until the next one."""
        self.add(7, 10, 11)
        self.assertEqual(self.recent.gap(2, 192), 5)
        self.assertEqual(self.recent.gap(2, 3), 3)
        self.assertEqual(self.found(2), [])
        self.assertEqual(self.found(7), [7])
        self.assertEqual(self.found(8), [])
        self.assertEqual(self.recent.gap(8, 192), 2)
        self.assertEqual(self.found(10), [10, 11])
        # It is there, but was not taken.
        self.assertEqual(self.recent.gap(10, 192), 192)
        self.assertEqual(self.found(12), [])
        self.assertEqual(self.recent.gap(12, 192), 192)

    def test_limit(self) -> None:
        """There is a limit; what is dropped is read."""
        self.add(*range(5))
        self.assertEqual(len(self.recent), 5)
        self.add(5, 6)
        self.assertEqual(len(self.recent), 2)
        self.assertEqual(self.recent.gap(0, 192), 5)
        self.assertEqual(self.found(5), [5, 6])

    def test_queue_begins_again(self) -> None:
        """Nothing is kept of a queue that was deleted."""
        self.add(7, 8)
        self.add(0, 1)
        self.assertEqual(self.found(0), [0, 1])
        self.assertEqual(self.found(7), [])
