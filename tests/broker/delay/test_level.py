"""How a delay is measured while the time of day is set."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.delay.level import ClockWatch, Level
from rocketmq_tw.testing.clocks import SettableClock


class ClockWatchTests(SynchronousTestCase):
    """When the time of day was set."""

    def test_look(self) -> None:
        """Each change is returned once; what an adjustment slews is none."""
        clock = SettableClock()
        watch = ClockWatch(clock)
        clock.advance(1000)
        self.assertEqual(watch.look(), 0)
        clock.shift_wall_time(-600)
        self.assertEqual((watch.look(), watch.look()), (-600_000, 0))
        for _ in range(100):
            clock.shift_wall_time(0.1)
            self.assertEqual(watch.look(), 0)


class LevelTests(SynchronousTestCase):
    """With which time due times are compared."""

    def test_clock_not_set(self) -> None:
        """With the time of day, in batches as large as wanted."""
        level = Level(1, 1000, 5, end=7)
        level.note_end(9, 0)
        self.assertEqual((level.now_ms(70), level.count(32)), (70, 32))

    def test_clock_set(self) -> None:
        """What was there before is compared with the time before."""
        level = Level(1, 1000, 5, end=7)
        level.note_end(9, 600_000)
        self.assertEqual((level.now_ms(700_000), level.count(32)), (100_000, 4))
        level.next_offset = 9
        self.assertEqual((level.count(32), level.now_ms(700_000)), (32, 700_000))
        self.assertEqual(level.shifts, [])

    def test_set_twice(self) -> None:
        """Changes add up for what was there before both."""
        level = Level(1, 1000, 5, end=7)
        level.note_end(7, 600_000)
        level.note_end(9, -500_000)
        self.assertEqual((level.now_ms(700_000), level.count(32)), (600_000, 2))
        level.next_offset = 8
        self.assertEqual((level.now_ms(700_000), level.count(32)), (1_200_000, 1))

    def test_nothing_waits(self) -> None:
        """Nothing is recorded if nothing waits."""
        level = Level(1, 1000, 9, end=7)
        level.note_end(9, 600_000)
        self.assertEqual(level.shifts, [])
