"""
The state of one delay level, and how its delay is measured when the clock is set.

A message's entry holds the time of day at which it is due. If the time of day is set
while messages wait, theirs is shifted by as much for as long as the broker runs: each
waits for its whole delay, no more and no less. So that is looked for before a delayed
message is stored, not only when messages are delivered. This is not stored; after a
restart the time of day counts, as in Apache RocketMQ, where it always does.
"""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.clock import wall_time

#: Milliseconds; smaller changes of the time of day are not noticed.
_SMALLEST_SHIFT = 1000


class ClockWatch:
    """Notices when the time of day was set."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._ahead = self._measure()

    def look(self) -> int:
        """Return how far the time of day was set forward since the last look, in ms."""
        ahead = self._measure()
        shift = ahead - self._ahead
        self._ahead = ahead
        return shift if abs(shift) >= _SMALLEST_SHIFT else 0

    def _measure(self) -> int:
        """Return how far the time of day is ahead of the clock, in ms."""
        return int((self._wall_time() - self._clock.seconds()) * 1000)


class Shift(msgspec.Struct, frozen=True, gc=False):
    """
    The time of day was set while messages waited.

    :ivar end: the queue offset behind the last of them.
    :ivar by_ms: how far it was set forward.
    """

    end: int
    by_ms: int


class Level(msgspec.Struct):
    """
    The state of one level.

    :ivar next_offset: the queue offset up to which it was delivered.
    :ivar end: the queue offset behind its last message, when that was last looked at.
    :ivar shifts: those that concern messages not delivered yet, oldest first.
    :ivar retry_at: after a failure, when to retry, in seconds of the clock.
    :ivar is_reading: whether a read waits for the disk; no other read is started.
    """

    number: int
    delay_ms: int
    next_offset: int
    # next_offset <= end, and the ends of the shifts are between them, in order.
    end: int = 0
    shifts: list[Shift] = []
    retry_at: float = 0.0
    is_reading: bool = False

    @property
    def queue_id(self) -> int:
        """The level's queue of the schedule topic."""
        return self.number - 1

    def note_end(self, end: int, shift_ms: int) -> None:
        """
        Record where the level ends now, after the time of day was set by ``shift_ms``.

        Everything up to this end was stored before that.
        """
        if shift_ms and end > self.next_offset:
            self.shifts.append(Shift(end, shift_ms))
        self.end = end

    def now_ms(self, wall_ms: int) -> int:
        """
        Return the time with which the next message's due time is to be compared.

        :param wall_ms: the time of day.
        """
        self._drop_passed()
        return wall_ms - sum(shift.by_ms for shift in self.shifts)

    def count(self, most: int) -> int:
        """Return how many messages at most may be compared with the same time."""
        self._drop_passed()
        return min(most, self.shifts[0].end - self.next_offset) if self.shifts else most

    def _drop_passed(self) -> None:
        """Drop the shifts that concern delivered messages only."""
        while self.shifts and self.shifts[0].end <= self.next_offset:
            del self.shifts[0]
