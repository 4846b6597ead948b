"""Messages are stored again before their records are deleted."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.timer.window import rolling_window


class WindowTests(SynchronousTestCase):
    """From the settings."""

    def window(self, **settings: int) -> int:
        """Return the window of these settings."""
        return rolling_window(msgspec.structs.replace(BrokerConfig(), **settings))

    def test_defaults(self) -> None:
        """Two days: two thirds of the three for which files are kept."""
        self.assertEqual(self.window(), 172_800)

    def test_short_retention(self) -> None:
        """Where files are deleted earlier, messages are stored again earlier."""
        self.assertEqual(self.window(file_reserved_time=3), 7200)
        self.assertEqual(self.window(file_reserved_time=0), 2)
        finer = self.window(file_reserved_time=3, timer_precision_ms=100)
        self.assertEqual(finer, 72_000)

    def test_long_retention(self) -> None:
        """Longer retention makes it no longer than is set."""
        self.assertEqual(self.window(file_reserved_time=1000), 172_800)
        self.assertEqual(self.window(timer_roll_window_slot=10), 10)
