"""A clock whose time of day can be set while its timers run on."""

from __future__ import annotations

from twisted.internet.task import Clock


class SettableClock(Clock):
    """
    A ``task.Clock`` with a time of day of its own.

    Both advance together. Only :meth:`shift_wall_time` moves them apart, as an
    administrator or NTP does; see :mod:`rocketmq_tw.clock`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def wall_seconds(self) -> float:
        """Return the time of day, in seconds since the epoch."""
        return self.seconds() + self._ahead

    def shift_wall_time(self, seconds: float) -> None:
        """Set the time of day forward, or back if ``seconds`` is below zero."""
        self._ahead += seconds
