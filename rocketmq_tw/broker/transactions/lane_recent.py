"""
The half messages that were stored last, and are likely ended next.

Ending one of these needs no read of the log. The others are read from there; nothing
depends on what is kept here.
"""

from __future__ import annotations

from collections import deque

from rocketmq_tw.broker.transactions.lane_batch import HalfRun

#: How many are kept at most, and how many bytes of their records.
MOST, MOST_BYTES = 8192, 8 << 20


class RecentHalves:
    """
    Half messages by queue offset; the oldest are dropped.

    :ivar size: the bytes of their records.
    """

    # _order has all queue offsets in _kept, and those of some that were taken; the
    # first of it is in _kept.

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: dict[int, HalfRun] = {}
        self._order: deque[int] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, half: HalfRun) -> None:
        """Keep one that was stored."""
        order, kept = self._order, self._kept
        if half.queue_offset in kept:
            # The queue was deleted, and begins again.
            kept.clear()
            order.clear()
            self.size = 0
        order.append(half.queue_offset)
        kept[half.queue_offset] = half
        self.size += half.size
        while len(order) > self._most or self.size > self._most_bytes:
            self.drop(order.popleft())
        while order and order[0] not in kept:
            order.popleft()

    def find(self, queue_offset: int) -> HalfRun | None:
        """Return one; None if it is not kept."""
        return self._kept.get(queue_offset)

    def drop(self, queue_offset: int) -> None:
        """Keep one no longer, if it is kept."""
        half = self._kept.pop(queue_offset, None)
        if half is not None:
            self.size -= half.size
