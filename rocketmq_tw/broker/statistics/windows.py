"""
What some counters have grown by in the last minute, hour and day.

Each window keeps the values that the counters had at some moments, the oldest first::

    minute    6 rows, 10 s apart         hour    6 rows, 10 min apart
    day      24 rows, an hour apart

A window's sum is what a counter has now, less what it had in the oldest row. So it
covers a little less than its name says, until the next row is added.

Source: ``StatsItem`` of RocketMQ 5, whose windows end at the last row instead.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

#: Seconds between two calls of :meth:`Windows.roll`.
PERIOD = 10
#: Of each window: after how many calls a row is added, and how many rows are kept.
_SPANS = ((1, 6), (60, 6), (360, 24))
#: After so many calls without growth a day has passed.
DAY = 8640


class Grown(msgspec.Struct, frozen=True, gc=False):
    """
    What a counter has grown by in a window.

    :ivar times: how often it has grown.
    :ivar seconds: how long that took, at most as long as the window.
    """

    sum: int
    times: int
    seconds: float

    @property
    def rate(self) -> float:
        """The growth per second."""
        return self.sum / self.seconds if self.seconds > 0 else 0.0

    @property
    def average(self) -> float:
        """The growth each time."""
        return self.sum / self.times if self.times else 0.0


class Windows:
    """
    The windows of some counters that belong together.

    With four counters they take 1.6 KB once a day has passed.

    :param width: how many counters there are.
    :param born: when they began, in seconds; as the clock of :meth:`grown` says.
    :ivar totals: the counters.
    :ivar idle: how often :meth:`roll` was called since they have grown.
    """

    __slots__ = ("_born", "_rows", "idle", "totals")

    def __init__(self, width: int, born: float) -> None:
        self._born = born
        self._rows = tuple(array("q", bytes(8 * width)) for _ in _SPANS)
        self.totals = [0] * width
        self.idle = 0

    def add(self, values: Sequence[int]) -> None:
        """Let the counters grow."""
        totals = self.totals
        for at, value in enumerate(values):
            totals[at] += value
        self.idle = 0

    def roll(self, tick: int) -> None:
        """Add rows; call this every ``PERIOD`` seconds, with the number of the call."""
        self.idle += 1
        width = len(self.totals)
        for rows, (every, most) in zip(self._rows, _SPANS, strict=True):
            if tick % every == 0:
                rows.extend(self.totals)
                del rows[: -most * width]

    def grown(
        self, column: int, times: int, tick: int, now: float, rolled_at: float
    ) -> tuple[Grown, Grown, Grown]:
        """
        Return what a counter has grown by, in each window.

        :param times: the column of the counter that says how often.
        :param tick: that of the last call of :meth:`roll`, at ``rolled_at``.
        """
        width, age = len(self.totals), now - self._born
        found = []
        for rows, (every, _) in zip(self._rows, _SPANS, strict=True):
            behind = (len(rows) // width - 1) * every + tick % every
            found.append(
                Grown(
                    self.totals[column] - rows[column],
                    self.totals[times] - rows[times],
                    max(0.0, min(age, behind * PERIOD + now - rolled_at)),
                )
            )
        minute, hour, day = found
        return minute, hour, day
