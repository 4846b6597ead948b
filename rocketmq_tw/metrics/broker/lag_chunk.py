"""How far some groups are behind in some topics; their numbers are made at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, repeat
from operator import itemgetter, sub

import msgspec

from rocketmq_tw.broker.tables.encoded_offsets import block_of
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.metrics.broker.first_times import (
    NOTHING,
    FirstTimes,
    Known,
    StoreTimes,
)
from rocketmq_tw.metrics.broker.labels import GroupLabels
from rocketmq_tw.metrics.broker.lag_numbers import Numbers, numbers_of
from rocketmq_tw.metrics.broker.stored_sums import StoredSums
from rocketmq_tw.metrics.chunks import spans_of
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.rows import Rows
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.store.interfaces import CountedQueue, IMessageStore

#: Series of queues that are made in one step.
MADE = 2000
#: Topic and group.
Key = tuple[str, str]


class NoQueue:
    """Stands for a queue of which nothing was stored yet."""

    next = min_offset = 0


_NO_QUEUE = NoQueue()
#: Stands for the end of a queue that was not looked at yet: no message is behind it.
_NO_END = 1 << 63


class LagFamilies(msgspec.Struct, frozen=True):
    """The metrics of groups; ``queues`` is None where queues have no series."""

    lag: Family
    in_flight: Family
    ready: Family
    latency: Family
    queueing: Family
    queues: Family | None


class LagTables(msgspec.Struct, frozen=True):
    """
    What the numbers are made of.

    :ivar totals: has the numbers of the queues.
    :ivar left: what chunks that are made again knew of the first messages of queues;
        empty after each page.
    """

    store: IMessageStore
    offsets: ConsumerOffsets
    progress: ConsumeProgress
    times: StoreTimes
    labels: GroupLabels
    totals: StoredSums
    left: dict[Key, dict[int, tuple[CountedQueue | NoQueue, Known]]] = {}


class LagChunk:
    """
    Some topics with a group each.

    *Pairs* are all their queues, one topic after another, in the order of the offsets.
    """

    # The lists of pairs are parallel, and those of keys. _seen is what the numbers of
    # the last page were made of. While a group has nothing in flight, the first message
    # that it has not read is the first one that it was not sent, and _ready_times is
    # _lag_times.

    def __init__(
        self, keys: list[Key], tables: LagTables, families: LagFamilies
    ) -> None:
        self.keys = keys
        self._tables = tables
        self._families = families
        self._ids: list[int] = []
        self._keys_of: list[int] = []
        self._committed: list[int] = []
        self._sizes: list[int] = []
        self._spans: list[slice] = []
        self._queues: list[CountedQueue | NoQueue] = []
        self._version = -1
        self._blocks = {block_of(key) for key in keys}
        self._is_whole = False
        # Return the ends of the queues, or their begins, from the list of all.
        self._pick: Callable[[Sequence[int]], tuple[int, ...]] = itemgetter(-1, -1)
        self._numbers = Numbers()
        self._begun: object = None
        self._shape = -1
        self._lag_times = self._ready_times = FirstTimes((), (), ())
        self._rows: list[Rows] = []
        self._queue_rows: list[tuple[slice, Rows]] = []
        # Where the queues end, and where they ended on the page before.
        self._ends: list[int] = []
        self._ended: list[int] = []

    def weight(self) -> int:
        """Return how many queues there are."""
        return len(self._ids)

    def collect(
        self, version: int, changed: set[int] | None, now_ms: int
    ) -> Steps[None]:
        """
        Set the series.

        :param version: that of the store's queues.
        :param changed: the blocks of keys in which offsets may have changed; None if
            all may have.
        """
        is_known = changed is not None and self._blocks.isdisjoint(changed)
        if not self._is_whole or not is_known:
            self._is_whole = False
            yield from self._collect_offsets()
        if version != self._version:
            self._version = version
            self._find_queues()
        self._set()
        self._set_ages(now_ms)
        self._is_whole = True

    def _collect_offsets(self) -> Steps[None]:
        """Find the offsets of the groups, and of which queues they are."""
        table = self._tables.offsets.table
        while True:
            shape = self._tables.offsets.shape
            offsets = [table.get(key, {}) for key in self.keys]
            if self._rows and shape == self._shape:
                break
            self._shape = shape
            ids = list(chain.from_iterable(offsets))
            sizes = list(map(len, offsets))
            if self._rows and ids == self._ids and sizes == self._sizes:
                break
            yield from self._reshape(ids, sizes)
        self._committed = list(chain.from_iterable(map(dict.values, offsets)))

    def close(self) -> None:
        """Remove the series, and leave what is known to who has the keys next."""
        self._leave()
        for rows in self._rows:
            rows.close()
        for _, rows in self._queue_rows:
            rows.close()
        self._rows, self._queue_rows = [], []

    def _leave(self) -> None:
        """Keep the ages: who may read none meanwhile would have none to show."""
        if not self._spans:
            return
        known = list(zip(self._queues, self._lag_times.known, strict=True))
        for key, span in zip(self.keys, self._spans, strict=True):
            entries = zip(self._ids[span], known[span], strict=True)
            self._tables.left[key] = dict(entries)

    def _reshape(self, ids: list[int], sizes: list[int]) -> Steps[None]:
        """Have other queues."""
        self._leave()
        self._ids, self._sizes, self._spans = ids, sizes, spans_of(sizes)
        self._version, self._numbers, self._begun = -1, Numbers(), None
        self._keys_of = [n for n, size in enumerate(sizes) for _ in range(size)]
        topics = [topic for topic, _ in self.keys]
        spread = chain.from_iterable(map(repeat, topics, sizes))
        pairs = list(zip(spread, ids, strict=True))
        known = [
            left.get(each, (_NO_QUEUE, NOTHING))
            for key, span in zip(self.keys, self._spans, strict=True)
            for left in [self._tables.left.pop(key, {})]
            for each in ids[span]
        ]
        self._queues = [queue for queue, _ in known]
        self._ends = [_NO_END] * len(ids)
        times = FirstTimes(pairs, self._spans, [time for _, time in known])
        self._lag_times = self._ready_times = times
        series = [self._tables.labels.of(*key) for key in self.keys]
        families = self._families
        if not self._rows:
            self._rows = [
                family.rows(series)
                for family in (
                    families.lag,
                    families.in_flight,
                    families.ready,
                    families.latency,
                    families.queueing,
                )
            ]
        if families.queues is None:
            return
        for _, rows in self._queue_rows:
            rows.close()
        self._queue_rows = []
        labels = chain.from_iterable(map(repeat, series, sizes))
        at = 0
        for some in parts_of(zip(labels, ids, strict=True), MADE):
            span = slice(at, at + len(some))
            rows = families.queues.rows([(*own, str(each)) for own, each in some])
            self._queue_rows.append((span, rows))
            at = span.stop
            yield None

    def _find_queues(self) -> None:
        """Find the queues, some of which may be new or gone."""
        store = self._tables.store
        positions = self._tables.totals.positions
        before, self._queues = self._queues, []
        for (topic, _), span in zip(self.keys, self._spans, strict=True):
            known = {each.queue_id: each for each in store.counted_queues(topic)}
            found = [known.get(each, _NO_QUEUE) for each in self._ids[span]]
            self._queues += found
        at = (positions.get(queue, -1) for queue in self._queues)
        self._pick, self._begun = itemgetter(-1, -1, *at), None
        if before:
            pairs = enumerate(zip(before, self._queues, strict=True))
            replaced = [number for number, (old, new) in pairs if old is not new]
            self._ends = list(self._ends)
            for each in replaced:
                self._ends[each] = _NO_END
            if replaced:
                self._lag_times.forget(replaced)
                self._ready_times.forget(replaced)

    def _set(self) -> None:
        """Set the numbers of messages, if anything has changed."""
        totals = self._tables.totals
        committed, before = self._committed, self._numbers
        _, _, *ends = self._pick(totals.ends)
        self._ended, self._ends = self._ends, ends
        begins = before.begins
        if totals.begun is not self._begun:
            self._begun = totals.begun
            _, _, *begins = self._pick(totals.begins)
        sent = self._sent(committed)
        was_sent = sent is not committed or before.sent is not before.committed
        if begins is before.begins and not was_sent:
            moved = before.differing(committed, ends)
            if not moved:
                return
            numbers = before.moved(committed, ends, moved, self._keys_of)
        else:
            numbers = numbers_of(committed, sent, begins, ends, self._spans)
        self._numbers = numbers
        lag, left = numbers.lag, numbers.left
        self._rows[0].set(lag)
        self._rows[1].set(list(map(sub, lag, left)))
        self._rows[2].set(left)
        for span, rows in self._queue_rows:
            rows.set(numbers.behind[span])

    def _set_ages(self, now_ms: int) -> None:
        """Set the ages of the first messages, which grow by themselves."""
        times, lag, numbers = self._tables.times, self._lag_times, self._numbers
        lag.update(numbers.firsts, times, None, self._ended)
        if numbers.starts is numbers.firsts:
            self._ready_times = lag
        else:
            if self._ready_times is lag:
                self._ready_times = lag.copy()
            self._ready_times.update(numbers.starts, times, lag, self._ended)
        ages = _ages(lag.since, now_ms)
        self._rows[3].set(ages)
        ready = self._ready_times
        self._rows[4].set(ages if ready is lag else _ages(ready.since, now_ms))

    def _sent(self, committed: list[int]) -> list[int]:
        """Return up to where the groups were sent messages; at least what they read."""
        progress = self._tables.progress.table
        if not progress:
            return committed
        entries = [progress.get(key) for key in self.keys]
        if not any(entry is not None and entry.pulled for entry in entries):
            return committed
        sent: list[int] = []
        for span, entry in zip(self._spans, entries, strict=True):
            if entry is None or not entry.pulled:
                sent += committed[span]
            else:
                sent += map(entry.pulled.get, self._ids[span], repeat(0))
        return list(map(max, sent, committed))


def _ages(since: Sequence[int], now_ms: int) -> list[int]:
    """Return how long ago some times were; 0 for none."""
    return [now_ms - ms if 0 < ms < now_ms else 0 for ms in since]
