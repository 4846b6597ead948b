"""
How far groups are behind.

*Lag* counts the messages that a group has not committed, *in flight* those of them that
were sent to it, and *ready* the rest. The latencies are the ages of the first message
that is not committed, and of the first one that was not sent.

A topic and group of which neither the messages nor the offsets changed costs a few
comparisons, below 1 us, and another while it is behind. When a message was stored is
read once, :data:`READS` of them for a page; what is on the disk is there for a later
page. Until all are known, the ages are those of the messages that are.

Source: ``ConsumerLagCalculator`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels
from rocketmq_tw.metrics.family import Family, Values
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Topics with their groups that are compared in one step, and set in one.
COMPARED, SET = 1000, 20
#: Store times that are read for a page.
READS = 200

_Key = tuple[str, str]
#: When messages were stored, in ms, by their queue ids and queue offsets.
_Times = dict[tuple[int, int], int]


def age(now_ms: int, since_ms: int) -> int:
    """
    Return an age in ms to three digits, so that old ones seldom change; 0 for none.
    """
    passed = now_ms - since_ms if since_ms else 0
    if passed < 1000:
        return max(0, passed)
    return passed - passed % int(10 ** (len(str(passed)) - 3))


class _Queue(NamedTuple):
    """How far a group is in one queue: queue offsets."""

    queue_id: int
    end: int
    committed: int
    sent: int


class _Behind(msgspec.Struct):
    """
    A group's state in a topic, as of the last page.

    :ivar since_ms: when the first message was stored that is not committed; 0 for none.
    :ivar ready_since_ms: likewise of the first that was not sent.
    :ivar times: when the first messages of its queues were stored.
    :ivar lacks_times: whether some are not known yet.
    :ivar is_new: whether it has changed since the last page.
    """

    values: Values
    stored: object
    offsets: Mapping[int, int]
    sent: Mapping[int, int]
    since_ms: int = 0
    ready_since_ms: int = 0
    times: _Times = {}
    lacks_times: bool = False
    is_new: bool = True


class LagMetrics:
    """
    Collects how far groups are behind.

    :param stored: messages by topic; a topic's changes when something is stored.
    :param counts_queues: whether each queue has a series, too.
    """

    def __init__(
        self,
        target: Target,
        broker: Broker,
        labels: GroupLabels,
        *,
        stored: Mapping[bytes, object],
        counts_queues: bool,
    ) -> None:
        self._store = broker.store
        self._offsets = broker.tables.offsets
        self._progress = broker.tables.progress
        self._now = wall_time(broker.clock)
        self._labels = labels
        self._stored = stored
        self._known: dict[_Key, _Behind] = {}
        self._reads = 0
        self._reading: set[tuple[str, int, int]] = set()
        self._lag, self._in_flight, self._ready = (
            target.gauge(f"rocketmq_consumer_{name}_messages", text, *GROUP_LABELS)
            for name, text in (
                ("lag", "Messages that the group has not committed"),
                ("inflight", "Messages that were sent and not committed"),
                ("ready", "Messages that were not sent yet"),
            )
        )
        self._latency, self._queueing = (
            target.gauge(
                f"rocketmq_consumer_{name}_latency_milliseconds", text, *GROUP_LABELS
            )
            for name, text in (
                ("lag", "Age of the first message that is not committed"),
                ("queueing", "Age of the first message that was not sent"),
            )
        )
        self._of_queues: Family | None = None
        if counts_queues:
            self._of_queues = target.gauge(
                "rocketmq_consumer_queue_lag_messages",
                "Messages of a queue that the group has not committed",
                *GROUP_LABELS,
                "queue_id",
            )

    def collect(self) -> Steps[None]:
        """Set the series that have changed, and the ages of what is behind."""
        self._reads = 0
        table = self._offsets.table
        work = 0
        for key, offsets in list(table.items()):
            work += 1
            if self._has_changed(key, offsets):
                self._set(key, offsets)
                work += COMPARED // SET
            if work >= COMPARED:
                work = 0
                yield None
        for key in self._known.keys() - table.keys():
            self._remove(self._known.pop(key))
        yield from self._set_ages()

    def _has_changed(self, key: _Key, offsets: Mapping[int, int]) -> bool:
        """Whether a group's state in a topic may be another than on the last page."""
        known = self._known.get(key)
        if known is None or known.offsets != offsets:
            return True
        if known.lacks_times and self._reads < READS:
            return True
        stored = self._stored.get(key[0].encode())
        return known.stored != stored or known.sent != self._sent(key)

    def _sent(self, key: _Key) -> Mapping[int, int]:
        """Return the queue offsets up to which a group was sent messages of a topic."""
        progress = self._progress.table.get(key)
        return {} if progress is None else progress.pulled

    def _set(self, key: _Key, offsets: Mapping[int, int]) -> None:
        """Set the series of a topic and group."""
        topic, group = key
        sent = self._sent(key)
        queues = [self._queue(topic, *each, sent) for each in offsets.items()]
        values = self._labels.of(topic, group)
        before = self._known.get(key)
        if before is not None and before.values != values:
            self._remove(before)
            before = None
        lag = sum(each.end - each.committed for each in queues)
        ready = sum(each.end - each.sent for each in queues)
        self._lag.set(values, lag)
        self._ready.set(values, ready)
        self._in_flight.set(values, lag - ready)
        known = self._known[key] = _Behind(
            values, self._stored.get(topic.encode()), dict(offsets), dict(sent)
        )
        times = {} if before is None else before.times
        starts = [(each.queue_id, each.committed, each.end) for each in queues]
        known.since_ms = self._first_ms(topic, starts, times, known)
        starts = [(each.queue_id, each.sent, each.end) for each in queues]
        known.ready_since_ms = self._first_ms(topic, starts, times, known)
        self._set_queues(values, queues, {} if before is None else before.offsets)

    def _queue(
        self, topic: str, queue_id: int, committed: int, sent: Mapping[int, int]
    ) -> _Queue:
        """Return how far a group is in a queue; never before its begin or its end."""
        end = self._store.max_offset(topic, queue_id)
        begin = self._store.min_offset(topic, queue_id)
        committed = min(max(committed, begin), end)
        return _Queue(
            queue_id, end, committed, min(max(committed, sent.get(queue_id, 0)), end)
        )

    def _set_queues(
        self, values: Values, queues: list[_Queue], before: Mapping[int, int]
    ) -> None:
        """Set the series of single queues, if they have any."""
        if self._of_queues is None:
            return
        for queue_id, end, committed, _ in queues:
            self._of_queues.set((*values, str(queue_id)), end - committed)
        for queue_id in set(before).difference(each.queue_id for each in queues):
            self._of_queues.remove((*values, str(queue_id)))

    def _remove(self, known: _Behind) -> None:
        """Remove the series of a group that has no offsets there any more."""
        for family in (
            self._lag,
            self._in_flight,
            self._ready,
            self._latency,
            self._queueing,
        ):
            family.remove(known.values)
        if self._of_queues is not None:
            for queue_id in known.offsets:
                self._of_queues.remove((*known.values, str(queue_id)))

    def _set_ages(self) -> Steps[None]:
        """Set the ages of the first messages, which grow by themselves."""
        for some in parts_of(list(self._known.values()), COMPARED // 2):
            now = int(self._now() * 1000)
            for known in some:
                since, ready_since = known.since_ms, known.ready_since_ms
                if since or known.is_new:
                    self._latency.set(known.values, age(now, since))
                if ready_since or known.is_new:
                    self._queueing.set(known.values, age(now, ready_since))
                known.is_new = False
            yield None

    def _first_ms(
        self,
        topic: str,
        starts: list[tuple[int, int, int]],
        before: _Times,
        known: _Behind,
    ) -> int:
        """
        Return when the oldest of some messages was stored; 0 if there is none.

        :param starts: queue ids, their first messages, and their ends.
        :param before: what was known on the last page.
        :param known: is given what is of use still.
        """
        first = 0
        for queue_id, at, end in starts:
            if at >= end:
                continue
            key = queue_id, at
            found = known.times.get(key) or before.get(key)
            if found is None:
                found = self._read_ms(topic, queue_id, at, known)
            if found is None:
                known.lacks_times = True
                continue
            known.times[key] = found
            if found > 0 and (found < first or not first):
                first = found
        return first

    def _read_ms(
        self, topic: str, queue_id: int, at: int, known: _Behind
    ) -> int | None:
        """Read when a message was stored; None if that takes time, or fails."""
        key = topic, queue_id, at
        if self._reads >= READS or key in self._reading:
            return None
        self._reads += 1
        try:
            found = self._store.store_time(topic, queue_id, at)
        except RocketMQError:
            return None  # too many reads wait for the disk
        if not isinstance(found, Deferred):
            return found
        self._reading.add(key)

        def read(result: object) -> None:
            """Remember it for the next page; after a failure it is read again."""
            self._reading.discard(key)
            if isinstance(result, int):
                known.times[queue_id, at] = result

        found.addBoth(read)
        return known.times.get((queue_id, at))
