"""A clock whose time of day can be set."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.testing.clocks import SettableClock


class SettableClockTests(SynchronousTestCase):
    """Two times that advance together."""

    def test_shifted(self) -> None:
        """Setting the time of day neither runs nor delays a timer."""
        clock = SettableClock()
        ran: list[float] = []
        clock.callLater(10, lambda: ran.append(clock.seconds()))
        clock.shift_wall_time(600)
        clock.advance(9)
        self.assertEqual((ran, clock.wall_seconds()), ([], 609))
        clock.shift_wall_time(-1200)
        clock.advance(1)
        self.assertEqual((ran, clock.wall_seconds()), ([10], -590))
