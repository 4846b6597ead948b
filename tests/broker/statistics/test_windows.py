"""Tests of what counters have grown by in a minute, an hour and a day."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.statistics.windows import PERIOD, Grown, Windows


class WindowsTests(SynchronousTestCase):
    """Two counters, of messages and of bytes."""

    def setUp(self) -> None:
        """Begin at a time that is not zero."""
        self.windows = Windows(2, born=100.0)
        self.tick, self.now = 0, 100.0

    def roll(self, times: int = 1, growth: int = 0) -> None:
        """Let some times ten seconds pass, with some messages in each."""
        for _ in range(times):
            self.windows.add((growth, 10 * growth))
            self.now += PERIOD
            self.tick += 1
            self.windows.roll(self.tick)

    def grown(self, column: int = 0, later: float = 0.0) -> tuple[Grown, ...]:
        """Return what a counter has grown by."""
        return self.windows.grown(
            column, 0, self.tick, self.now + later, rolled_at=self.now
        )

    def test_new(self) -> None:
        """All windows begin with the counters, and last as long as these."""
        self.windows.add((3, 30))
        for each in self.grown(later=2.0):
            self.assertEqual((each.sum, each.times, each.seconds), (3, 3, 2.0))
            self.assertEqual(each.rate, 1.5)

    def test_at_once(self) -> None:
        """In no time there is no rate."""
        self.windows.add((3, 30))
        self.assertEqual([each.rate for each in self.grown()], [0.0] * 3)

    def test_average(self) -> None:
        """The bytes of a message; 0 if there was none."""
        self.assertEqual([each.average for each in self.grown(1)], [0.0] * 3)
        self.windows.add((4, 100))
        self.assertEqual([each.average for each in self.grown(1)], [25.0] * 3)

    def test_minute(self) -> None:
        """Only the last minute's messages are in it, but all are in the hour."""
        self.roll(times=12, growth=5)
        minute, hour, day = self.grown()
        self.assertEqual((minute.sum, minute.seconds), (25, 50.0))
        self.assertEqual((hour.sum, hour.seconds), (60, 120.0))
        self.assertEqual((day.sum, day.seconds), (60, 120.0))

    def test_hour(self) -> None:
        """Rows ten minutes apart; the last one is as old as the ticks since."""
        self.roll(times=60 * 12, growth=1)
        minute, hour, day = self.grown()
        self.assertEqual((hour.sum, hour.seconds), (300, 3000.0))
        self.assertEqual((day.sum, day.seconds), (720, 7200.0))
        self.roll(times=30, growth=1)
        self.assertEqual(self.grown()[1].sum, 330)
        self.assertEqual(self.grown()[1].seconds, 3300.0)

    def test_day(self) -> None:
        """After a day without messages nothing is left."""
        self.roll(growth=7)
        self.roll(times=360 * 24)
        self.assertEqual([each.sum for each in self.grown()], [0, 0, 0])
        self.assertEqual(self.windows.totals, [7, 70])

    def test_idle(self) -> None:
        """It says for how many ticks nothing came."""
        self.roll(growth=1)
        self.roll(times=3)
        self.windows.idle = 4
        self.windows.add((1, 1))
        self.assertEqual(self.windows.idle, 0)
