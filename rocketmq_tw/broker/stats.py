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
from rocketmq_tw.wire.record import Draft

if TYPE_CHECKING:
    from rocketmq_tw.broker.put_times import PutTimes
    from rocketmq_tw.broker.safe_puts import SafePuts
    from rocketmq_tw.remoting.durable import DurableLog
    from rocketmq_tw.store.run import Run

#: Seconds between two calls of :meth:`BrokerStats.sample`.
SAMPLE_PERIOD = 10.0
#: The periods, in seconds, over which rates are averaged.
WINDOWS = (10.0, 60.0, 600.0)
#: How many samples there are in a minute.
_MINUTE = 6
#: What took less seconds is counted with one addition.
_QUICK = 0.001
#: The columns of a queue's sends: milliseconds, and how many took them together.
TIME, SENDS = 0, 1
#: These counters of the queues that tools watch, by topic and queue id.
PutCounters = dict[tuple[bytes, int], list[int]]


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
    :ivar watched: the sends to queues whose times tools ask for.
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
        self._safe: SafePuts | None = None
        self.watched: PutCounters = {}
        self.longest_read_ms = 0
        self._ticks = 0
        size = int(max(WINDOWS) / SAMPLE_PERIOD) + 1
        self._samples: deque[tuple[float, Counts]] = deque(maxlen=size)
        self._samples.append((self._started_at, Counts()))
        self._day = _day(self.boot_time)
        self.this_morning = Counts()
        self.yesterday_morning = Counts()

    # -- on the path of every message

    def stored_run(
        self,
        run: Run,
        size: int,
        since: float,
        end: int = 0,
        sends: Run | None = None,
    ) -> None:
        """
        Count the messages of a run: see :meth:`stored`.

        :param sends: those that were sent to their queues; None for all.
        """
        self._messages_in += len(run)
        self._bytes_in += size
        if end or self.watched:
            sends = run if sends is None else sends
            watched = self._watched_of(sends) if self.watched else []
            self._put(len(run), since, end, watched)
        elif self._wall_time() - since < _QUICK:
            self._quick += len(run)
        else:
            self._took(len(run), since, [])

    def stored(
        self,
        count: int,
        size: int,
        since: float,
        end: int = 0,
        draft: Draft | None = None,
    ) -> None:
        """
        Count the messages of one send; ``size`` is the size of their records together.

        :param since: the time of day when they arrived, in seconds since the epoch.
        :param end: their sender waits until the log is safe up to this; 0 for nothing.
        :param draft: one of them, if it was sent to its queue.
        """
        self._messages_in += count
        self._bytes_in += size
        if end or self.watched:
            key = draft and (draft.topic, draft.queue_id)
            found = self.watched.get(key) if key else None
            self._put(1, since, end, [] if found is None else [found])
        elif self._wall_time() - since < _QUICK:
            self._quick += 1
        else:
            self._took(1, since, [])

    def _put(
        self, count: int, since: float, end: int, watched: list[list[int]]
    ) -> None:
        """Count sends now, or once they are safe."""
        if end and self._safe is not None:
            self._safe.add(end, count, since, watched)
        else:
            self._took(count, since, watched)

    def _took(self, count: int, since: float, watched: list[list[int]]) -> None:
        """Count how long sends took."""
        seconds = self._wall_time() - since
        if seconds < _QUICK:  # also if the clock was set back
            self._quick += count
        else:
            self.put_times.add(count, seconds)
        for totals in watched:
            totals[TIME] += max(0, int(seconds * 1000))
            totals[SENDS] += 1

    def _watched_of(self, run: Run) -> list[list[int]]:
        """Return what counts the times of some messages, each as often as it is one."""
        find = self.watched.get
        found = [find((each.queue.topic, each.queue.queue_id)) for each in run]
        return [totals for totals in found if totals is not None]

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

    def wait_for(self, log: DurableLog) -> None:
        """Let the time of sends end when the log is safe, as their senders want it."""
        from rocketmq_tw.broker.safe_puts import SafePuts

        self._safe = SafePuts(log, self._clock.seconds, self._took)

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
