"""
Counts timed messages that cannot be delivered, and logs some of them.

There may be as many as a slot has, when files of the commit log were deleted while
messages waited. A line for each would take longer than to deliver them.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

#: Lines that are logged in each period; and its seconds.
LINES, PERIOD = 10, 60.0


class LostMessages:
    """
    Logs the first of each period, and how many others there were.

    :ivar count: how many there were since the start.
    """

    _log = Logger()

    # _unlogged counts those of the last period that had no line.

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._period_ends = float("-inf")
        self._lines = 0
        self._unlogged = 0
        self.count = 0

    def add(self, offset: int, error: Exception) -> None:
        """Count one, by the commit log offset of its record."""
        self.count += 1
        if self._clock.seconds() >= self._period_ends:
            self.report()
            self._period_ends = self._clock.seconds() + PERIOD
            self._lines = 0
        self._lines += 1
        if self._lines > LINES:
            self._unlogged += 1
            return
        self._log.error(
            "the timed message at offset {offset} of the commit log cannot be"
            " delivered: {why}",
            offset=offset,
            why=str(error),
        )

    def report(self) -> None:
        """Log how many had no line since the last time."""
        unlogged, self._unlogged = self._unlogged, 0
        if unlogged:
            self._log.error(
                "{count} more timed messages could not be delivered; {total} since the"
                " start",
                count=unlogged,
                total=self.count,
            )
