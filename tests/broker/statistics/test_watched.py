"""Tests of windows that are counted while tools ask for them."""

from __future__ import annotations

from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.statistics.watched import FORGOTTEN, WatchedWindows


class WatchedWindowsTests(SynchronousTestCase):
    """What is counted by topic and queue id."""

    def setUp(self) -> None:
        """Make none."""
        self.counted: dict[tuple[str, int], list[int]] = {}
        self.windows = WatchedWindows[tuple[str, int]](
            2, self.counted.__setitem__, self.counted.__delitem__
        )

    def find(self, topic: str, queue_id: int, tick: int = 0) -> object:
        """Ask for some, of two at most."""
        return self.windows.find((topic, queue_id), 2, tick, 0.0)

    def test_counted(self) -> None:
        """What is added to the counters from now on is in the windows."""
        found = self.windows.find(("A", 0), 2, 0, 0.0)
        assert found is not None
        self.counted["A", 0][0] += 7
        self.assertEqual((found.totals, len(self.windows)), ([7, 0], 1))
        self.assertIs(self.find("A", 0), found)

    def test_limit(self) -> None:
        """There are not too many."""
        self.find("A", 0)
        self.find("A", 1)
        self.assertIsNone(self.find("A", 2))
        self.assertEqual((self.windows.refused, len(self.counted)), (1, 2))

    def test_dropped(self) -> None:
        """Those of a topic go with it."""
        self.find("A", 0)
        self.find("B", 0)
        self.windows.drop("A")
        self.assertEqual(list(self.counted), [("B", 0)])

    def test_forgotten(self) -> None:
        """They end an hour after the last question."""
        self.find("A", 0)
        self.find("A", 1, tick=1)
        list(self.windows.roll(FORGOTTEN))
        self.assertEqual(list(self.counted), [("A", 1)])

    def test_dropped_while_they_are_looked_at(self) -> None:
        """What a step is about to forget may be gone, or asked for again."""
        self.find("A", 0)
        self.find("A", 1)
        with patch("rocketmq_tw.broker.statistics.watched.AT_ONCE", 1):
            steps = self.windows.roll(FORGOTTEN)
            next(steps)
            self.windows.drop("A")
            self.find("A", 1, tick=FORGOTTEN)
            list(steps)
        self.assertEqual(list(self.counted), [("A", 1)])
