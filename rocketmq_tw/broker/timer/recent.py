"""
The timed messages that the lane of sends stored last, and that are not linked yet.

Linking them needs neither a read nor a look at their properties. All others are read
from the timer's queue; nothing depends on what is kept here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

#: How many are kept at most: 1 MB.
MOST = 8192


#: What linking needs to know of a message: the topic where it is to be delivered, its
#: slot, when its producer made it, the commit log offset of its record, and the size of
#: that in bytes.
Stored = tuple[bytes, int, int, int, int]


class _Run(msgspec.Struct):
    """Messages whose queue offsets follow one another, from ``first`` on."""

    first: int
    kept: list[Stored]


class RecentSends:
    """
    Messages by queue offset; those that others stored are left out.

    :param most: with more of them, the older ones are dropped.
    """

    # None of _runs is empty. _last is what the last of them has, and _next the offset
    # behind that; _count is how many there are.

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._runs: deque[_Run] = deque()
        self._last: list[Stored] = []
        self._next = -1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, queue_offset: int, stored: Stored) -> None:
        """Keep a message, which is the last of the queue."""
        # At a lower offset the queue was deleted, and begins again.
        if self._count >= self._most or queue_offset < self._next:
            self._runs.clear()
            self._count = 0
        if queue_offset != self._next or not self._count:
            self._last = []
            self._runs.append(_Run(queue_offset, self._last))
        self._last.append(stored)
        self._next = queue_offset + 1
        self._count += 1

    def find(self, start: int, end: int) -> Sequence[Stored]:
        """
        Return those from a queue offset on, before ``end``, up to a gap.

        What is before them is dropped.
        """
        runs = self._runs
        while runs:
            first = runs[0]
            passed = min(start - first.first, len(first.kept))
            if passed < len(first.kept):
                if passed < 0:
                    break
                del first.kept[:passed]
                first.first = start
                self._count -= passed
                return first.kept[: max(end - start, 0)]
            self._count -= passed
            runs.popleft()
        return ()

    def gap(self, start: int, most: int) -> int:
        """
        Return how many messages to read from a queue offset on, ``most`` at most.

        They end where the first is that is kept, unless that is not behind them.
        """
        ahead = self._runs[0].first - start if self._runs else 0
        return min(ahead, most) if ahead > 0 else most
