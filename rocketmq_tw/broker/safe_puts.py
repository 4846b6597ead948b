"""
The times of sends that are not safe yet, if their senders wait for that.

Source: ``DefaultMessageStore.asyncPutMessage`` of RocketMQ 5, whose times end when the
message is flushed and copied as it is to be, or when that has taken too long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.wire.codes import ResponseCode

#: The totals of queues that tools watch, which sends add their times to.
Watched = list[list[int]]
#: Counts sends: how many, since when they were here, and what else counts their times.
Count = Callable[[int, float, Watched], None]

#: Of how many reads sends may wait: they are counted at once, in 20 ms, after a disk
#: that hung. The time of more ends when they are stored.
MOST = 20_000


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """Sends that came with one read, and end at an offset of the log."""

    end: int
    stored_at: float
    count: int
    since: float
    watched: Watched


class SafePuts:
    """
    Waits for the log with the senders: a :class:`ResponseWaiter`.

    :param log: what senders wait for.
    :param seconds: the clock of the log.
    :param count: called with sends that are safe, or late.
    """

    # _waiting is in the order of the log.

    def __init__(
        self, log: DurableLog, seconds: Callable[[], float], count: Count
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._count = count
        self._waiting: deque[_Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, end: int, count: int, since: float, watched: Watched) -> None:
        """Count sends once the log is safe up to ``end``."""
        try:
            waits = self._log.await_flush(self, end)
        except StoreNotWriteable:
            return  # Their senders have that error, too.
        if not waits or len(self._waiting) >= MOST:
            self._count(count, since, watched)
            return
        self._waiting.append(_Waiting(end, self._seconds(), count, since, watched))

    def flushed(self, end: int) -> bool:
        """Count what is safe."""
        waiting = self._waiting
        while waiting and waiting[0].end <= end:
            self._count_first()
        return bool(waiting)

    def expired(self, before: float) -> float | None:
        """Count what has waited since ``before``."""
        late = ResponseCode.FLUSH_DISK_TIMEOUT
        return self.expire(lambda _, since: late if since <= before else None)

    def expire(
        self, code_for: Callable[[int, float], ResponseCode | None]
    ) -> float | None:
        """Count what there is a code for, as it has waited too long."""
        waiting = self._waiting
        while waiting and code_for(waiting[0].end, waiting[0].stored_at) is not None:
            self._count_first()
        return waiting[0].stored_at if waiting else None

    def failed(self, error: Exception) -> None:
        """Forget them: they may be lost."""
        self._waiting.clear()

    def _count_first(self) -> None:
        first = self._waiting.popleft()
        self._count(first.count, first.since, first.watched)
