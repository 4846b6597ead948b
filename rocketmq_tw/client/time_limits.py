"""
Time-outs of many messages with one timer.

A ``DelayedCall`` for every message would cost 2 µs of the 12 that a send takes, and
nearly all of them are cancelled. Messages with the same time limit expire in the order
in which they were sent, so one timer, for the oldest, is enough.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: How many different limits have a timer at once; messages with further ones have
#: timers of their own.
MAX_LIMITS = 16


class Expiring(Protocol):
    """Something with a time-out; compared and hashed by identity."""

    def expire(self) -> None:
        """Called once, when the time is over; must not raise."""


class TimeLimit:
    """
    Calls ``expire`` of each item ``seconds`` after it was added, unless it was
    discarded.

    :param seconds: the limit.
    """

    def __init__(self, clock: IReactorTime, seconds: float) -> None:
        self._clock = clock
        self.seconds = seconds
        # Deadlines, in ascending order. While it holds an item, there is a timer, which
        # fires no later than the first deadline.
        self._deadlines: OrderedDict[Expiring, float] = OrderedDict()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._deadlines)

    def add(self, item: Expiring, now: float) -> None:
        """
        Add an item.

        :param now: seconds of the clock; it must not go back.
        """
        self._deadlines[item] = now + self.seconds
        if self._timer is None:
            self._timer = self._clock.callLater(self.seconds, self._expire)

    def discard(self, item: Expiring) -> None:
        """Remove an item; do nothing if it is not there."""
        self._deadlines.pop(item, None)

    def stop(self) -> None:
        """Stop the timer; nothing expires any more."""
        timer, self._timer = self._timer, None
        self._deadlines.clear()
        if timer is not None and timer.active():
            timer.cancel()

    def _expire(self) -> None:
        """Expire what is due, and wait for the next."""
        # The timer is kept until the end: what is added meanwhile must not set another.
        deadlines, now = self._deadlines, self._clock.seconds()
        while deadlines:
            item, deadline = next(iter(deadlines.items()))
            if deadline > now:
                self._timer = self._clock.callLater(deadline - now, self._expire)
                return
            del deadlines[item]
            item.expire()
        self._timer = None


class _OwnTimeLimit(TimeLimit):
    """The limit of a single item; its timer stops with the item."""

    def discard(self, item: Expiring) -> None:
        """Remove the item."""
        super().discard(item)
        self.stop()


class TimeLimits:
    """
    The time limits of one producer, by seconds.

    Nearly all messages of a producer have the same one.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._limits: dict[float, TimeLimit] = {}

    def of(self, seconds: float) -> TimeLimit:
        """Return the limit, which is shared unless there are too many others."""
        found = self._limits.get(seconds)
        if found is None:
            if len(self._limits) >= MAX_LIMITS and not self._drop_unused():
                return _OwnTimeLimit(self._clock, seconds)
            found = self._limits[seconds] = TimeLimit(self._clock, seconds)
        return found

    def stop(self) -> None:
        """Stop all timers; nothing expires any more."""
        for limit in self._limits.values():
            limit.stop()
        self._limits.clear()

    def _drop_unused(self) -> bool:
        """Remove the limits that no message has; return whether there were any."""
        unused = [seconds for seconds, limit in self._limits.items() if not limit]
        for seconds in unused:
            self._limits.pop(seconds).stop()
        return bool(unused)
