"""Where a message waits: every boundary."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.timer.layout import PLAIN, ROLL
from rocketmq_tw.store.timer.placement import (
    MAX_WINDOW,
    WINDOW,
    Placement,
)
from tests.store.timer.cases import NOW_MS


class PlacementTests(SynchronousTestCase):
    """Two days of seconds."""

    placement = Placement()
    day_ms = 86_400_000

    def place(self, ahead_ms: int) -> tuple[int, int] | None:
        """Place a message; return how far ahead, and its flags."""
        placed = self.placement.slot_for(NOW_MS + ahead_ms, NOW_MS)
        return None if placed is None else (placed[0] - NOW_MS, placed[1])

    def test_due(self) -> None:
        """What should have been delivered already does not wait."""
        self.assertIsNone(self.place(-1000))
        self.assertIsNone(self.place(-1))
        self.assertEqual(self.place(0), (0, PLAIN))

    def test_within_the_window(self) -> None:
        """It waits in its slot."""
        self.assertEqual(self.place(1000), (1000, PLAIN))
        last = 2 * self.day_ms - 1000
        self.assertEqual(self.place(last), (last, PLAIN))

    def test_short_rest(self) -> None:
        """A little behind the window it rolls after half of it, as Apache's does."""
        half = self.day_ms
        for rest in (0, 1000, 57_599_000):
            self.assertEqual(self.place(2 * self.day_ms + rest), (half, PLAIN | ROLL))

    def test_long_rest(self) -> None:
        """From a third of the window behind it on, it rolls after all of it."""
        for rest in (57_600_000, 38 * self.day_ms):
            window = 2 * self.day_ms
            self.assertEqual(self.place(window + rest), (window, PLAIN | ROLL))
        # 259,199 s ahead: seen at a broker of Apache RocketMQ.
        self.assertEqual(self.place(259_199_000), (172_800_000, PLAIN | ROLL))

    def test_windows(self) -> None:
        """One that the wheel cannot hold becomes the longest."""
        self.assertEqual(Placement(1000, WINDOW).window_ms, 172_800_000)
        for window in (0, 1, 604_741, 10**9):
            self.assertEqual(Placement(1000, window).window_ms, MAX_WINDOW * 1000)

    def test_forty_days(self) -> None:
        """However far ahead, it arrives in its slot, after twenty rolls or so."""
        out_ms, write_ms, rolls = NOW_MS + 40 * self.day_ms, NOW_MS, 0
        while True:
            placed = self.placement.slot_for(out_ms, write_ms)
            assert placed is not None
            write_ms = placed[0]
            if not placed[1] & ROLL:
                break
            rolls += 1
        self.assertEqual((write_ms, rolls), (out_ms, 20))
