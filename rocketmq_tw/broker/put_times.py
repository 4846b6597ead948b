"""
How long it took to store sends: most of them, all but few, and the slowest.

The time runs from when the bytes of a request have arrived until its messages are in
the log, or as safe as its sender waits for: on disk with ``SYNC_FLUSH``, with slaves
with ``SYNC_MASTER`` (:mod:`~rocketmq_tw.broker.safe_puts`). So it has what delays all
requests, as other requests do. A batch is one send.

What took less than a millisecond is counted elsewhere first, with one addition for all
sends of a read (:class:`~rocketmq_tw.broker.stats.BrokerStats`).

Source: ``StoreStatsService`` of RocketMQ 5, whose time begins when a request leaves its
queue.
"""

from __future__ import annotations

from bisect import bisect_right

#: Milliseconds that bound the buckets, from below but for the first.
_BOUNDS = (
    *range(1, 20),
    *range(20, 50, 2),
    *range(50, 100, 5),
    *range(100, 200, 10),
    *range(200, 500, 50),
    *range(500, 1000, 100),
    *range(1000, 10_001, 1000),
)
#: What tools are shown: the name of each time, and where the next begins.
_TIMES = (
    ("<=0ms", 1),
    ("0~10ms", 10),
    ("10~50ms", 50),
    ("50~100ms", 100),
    ("100~200ms", 200),
    ("200~500ms", 500),
    ("500ms~1s", 1000),
    ("1~2s", 2000),
    ("2~3s", 3000),
    ("3~4s", 4000),
    ("4~5s", 5000),
    ("5~10s", 10_000),
)
_LONGER = "10s~"


class PutTimes:
    """
    The times of one broker.

    :ivar quick: how many took less than a millisecond; add to it.
    :ivar longest_ms: the longest time since the start, in whole milliseconds.
    """

    def __init__(self) -> None:
        self.quick = 0
        self.longest_ms = 0
        self._slow = [0] * (len(_BOUNDS) + 1)
        self._last: list[int] | None = None

    def add(self, count: int, seconds: float) -> None:
        """Count sends that took a millisecond or more."""
        taken_ms = int(seconds * 1000)
        self._slow[bisect_right(_BOUNDS, taken_ms)] += count
        self.longest_ms = max(self.longest_ms, taken_ms)

    def roll(self) -> None:
        """End a minute; the figures are those of the last one that has ended."""
        self._last = self._counts
        self.quick = 0
        self._slow = [0] * (len(_BOUNDS) + 1)

    @property
    def _counts(self) -> list[int]:
        """How many took how long in this minute."""
        return [self.quick + self._slow[0], *self._slow[1:]]

    @property
    def _figures(self) -> list[int]:
        """Those of the last minute, or of what there is of the first."""
        return self._counts if self._last is None else self._last

    def percentile(self, share: float) -> float:
        """Return milliseconds in which that share was stored; 0 if there was none."""
        counts = self._figures
        left = int(sum(counts) * share)
        for at, count in enumerate(counts):
            if left <= count and count:
                begin = _BOUNDS[at - 1] if at else 0
                end = _BOUNDS[at] if at < len(_BOUNDS) else self.longest_ms
                return float(begin + (end - begin) * left / count)
            left -= count
        return 0.0

    def text(self) -> str:
        """Return how many took how long, as tools read it."""
        counts, parts, at = self._figures, [], 0
        for name, end in _TIMES:
            behind = bisect_right(_BOUNDS, end - 1) + 1
            parts.append(f"[{name}]:{sum(counts[at:behind])} ")
            at = behind
        parts.append(f"[{_LONGER}]:{sum(counts[at:])} ")
        return "".join(parts)
