"""
The statistics of a broker: messages and bytes in and out, and their rates.

On the path of every message counting is a few additions. Rates are computed on request,
from samples taken every ten seconds.

Source: ``StoreStatsService`` and ``BrokerStats`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.clock import wall_time

if TYPE_CHECKING:
    from rocketmq_tw.broker.put_times import PutTimes

#: Seconds between two calls of :meth:`BrokerStats.sample`.
SAMPLE_PERIOD = 10.0
#: The periods, in seconds, over which rates are averaged.
WINDOWS = (10.0, 60.0, 600.0)
#: How many samples there are in a minute.
_MINUTE = 6


class Counts(msgspec.Struct, frozen=True, gc=False):
    """All counters at one moment, counted from the start."""

    messages_in: int = 0
    bytes_in: int = 0
    failures: int = 0
    messages_out: int = 0
    bytes_out: int = 0
    #: Pulls that found messages, and pulls that did not.
    hits: int = 0
    misses: int = 0


class BrokerStats:
    """
    The counters of one broker.

    :ivar boot_time: when the broker started, in seconds since the epoch.
    :ivar gauges: sizes of tables and what was refused because of their limits, by the
        names under which runtime information shows them.
    :ivar longest_read_ms: the longest time in which a pull was read.
    :ivar this_morning: the counters when today began, or the broker started.
    :ivar yesterday_morning: likewise for yesterday; zeros if it was not running.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._started_at = clock.seconds()
        self.boot_time = self._wall_time()
        self.gauges: dict[str, Callable[[], int]] = {}
        self._messages_in = 0
        self._bytes_in = 0
        self._failures = 0
        self._messages_out = 0
        self._bytes_out = 0
        self._hits = 0
        self._misses = 0
        # Messages of this minute that were stored in less than a millisecond.
        self._quick = 0
        self._put_times: PutTimes | None = None
        self.longest_read_ms = 0
        self._ticks = 0
        size = int(max(WINDOWS) / SAMPLE_PERIOD) + 1
        self._samples: deque[tuple[float, Counts]] = deque(maxlen=size)
        self._samples.append((self._started_at, Counts()))
        self._day = _day(self.boot_time)
        self.this_morning = Counts()
        self.yesterday_morning = Counts()

    # -- on the path of every message

    def stored(self, count: int, size: int, since: float) -> None:
        """
        Count messages that were stored; ``size`` is the size of their records together.

        :param since: the time of day when they arrived, in seconds since the epoch.
        """
        self._messages_in += count
        self._bytes_in += size
        seconds = self._wall_time() - since
        if seconds < 0.001:  # also if the clock was set back
            self._quick += count
        else:
            self.put_times.add(count, seconds)

    def failed(self) -> None:
        """Count a message that could not be stored."""
        self._failures += 1

    def fetched(self, count: int, size: int) -> None:
        """Count a pull that found messages; ``size`` is the size of their records."""
        self._hits += 1
        self._messages_out += count
        self._bytes_out += size

    def missed(self) -> None:
        """Count a pull that found nothing."""
        self._misses += 1

    # -- not on the path of a message

    @property
    def put_times(self) -> PutTimes:
        """How long it took to store messages."""
        times = self._put_times
        if times is None:
            from rocketmq_tw.broker.put_times import PutTimes

            times = self._put_times = PutTimes()
        times.quick += self._quick
        self._quick = 0
        return times

    def read_took(self, seconds: float) -> None:
        """Note the time of a pull that waited for the disk: others take none."""
        self.longest_read_ms = max(self.longest_read_ms, int(seconds * 1000))

    @property
    def now(self) -> float:
        """The time of day, in seconds since the epoch."""
        return self._wall_time()

    @property
    def age(self) -> float:
        """How long the broker has been running, in seconds."""
        return self._clock.seconds() - self._started_at

    @property
    def counts(self) -> Counts:
        """The counters now."""
        return Counts(
            self._messages_in,
            self._bytes_in,
            self._failures,
            self._messages_out,
            self._bytes_out,
            self._hits,
            self._misses,
        )

    def sample(self) -> None:
        """Keep the current counters; call this every ``SAMPLE_PERIOD`` seconds."""
        now, counts = self._clock.seconds(), self.counts
        self._samples.append((now, counts))
        self._ticks += 1
        if not self._ticks % _MINUTE:
            self.put_times.roll()
        today = _day(self._wall_time())
        if today > self._day:  # a clock that was set back begins no day again
            self._day = today
            self.yesterday_morning = self.this_morning
            self.this_morning = counts

    def rates(self, *names: str) -> tuple[float, ...]:
        """
        Return how fast counters grow.

        :param names: fields of :class:`Counts`, added up.
        :returns: the increase per second in the last 10 s, 60 s and 600 s, or since the
            start if that is less.
        """
        now, counts = self._clock.seconds(), self.counts
        return tuple(self._rate(names, now, counts, window) for window in WINDOWS)

    def _rate(
        self, names: tuple[str, ...], now: float, counts: Counts, window: float
    ) -> float:
        """
        Compare with the newest sample that is at least ``window`` old, or the oldest.
        """
        then, before = self._samples[0]
        for taken, sampled in reversed(self._samples):
            if now - taken >= window:
                then, before = taken, sampled
                break
        if now <= then:
            return 0.0
        grown = sum(getattr(counts, name) - getattr(before, name) for name in names)
        return float(grown / (now - then))


def _day(seconds: float) -> int:
    """Return the ordinal of the local day."""
    return datetime.fromtimestamp(seconds).toordinal()
