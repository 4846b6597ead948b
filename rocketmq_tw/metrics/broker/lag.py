"""
How far groups are behind.

*Lag* counts the messages that a group has not committed, *in flight* those of them that
were sent to it, and *ready* the rest. The latencies are the ages of the first message
that is not committed, and of the first one that was not sent.

A topic and group of which neither the messages nor the offsets changed costs a few
comparisons, and another 0.3 us while it is behind. When a message was stored is read
once for each offset, :data:`READS` of them for a page; what is on the disk is there for
the next page.

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
READS = 500

_Key = tuple[str, str]
#: Differs from what any topic has stored.
_LOOK_AGAIN = object()


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
    """

    values: Values
    stored: object
    offsets: Mapping[int, int]
    sent: Mapping[int, int]
    since_ms: int = 0
    ready_since_ms: int = 0
    queues: tuple[int, ...] = ()


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
        self._times: dict[tuple[str, int, int], int] = {}
        self._used: dict[tuple[str, int, int], int] = {}
        self._reads = 0
        self._reading: set[tuple[str, int, int]] = set()
        # Whether a time was looked for and is not known yet.
        self._lacks_time = False
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
        self._used = {}
        table = self._offsets.table
        for entries in parts_of(list(table.items()), COMPARED):
            changed = [
                (key, offsets)
                for key, offsets in entries
                if self._has_changed(key, offsets)
            ]
            for some in parts_of(changed, SET):
                for key, offsets in some:
                    self._set(key, offsets)
                yield None
            yield None
        # Only what is still of use is remembered.
        self._times = self._used
        for key in self._known.keys() - table.keys():
            self._remove(self._known.pop(key))
        yield from self._set_ages()

    def _has_changed(self, key: _Key, offsets: Mapping[int, int]) -> bool:
        """Whether a group's state in a topic may be another than on the last page."""
        known = self._known.get(key)
        if known is None or known.offsets != offsets:
            return True
        progress = self._progress.table.get(key)
        sent = {} if progress is None else progress.pulled
        stored = self._stored.get(key[0].encode())
        return known.stored != stored or known.sent != sent

    def _set(self, key: _Key, offsets: Mapping[int, int]) -> None:
        """Set the series of a topic and group."""
        topic, group = key
        progress = self._progress.table.get(key)
        sent = {} if progress is None else progress.pulled
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
        self._lacks_time = False
        known = self._known[key] = _Behind(
            values,
            self._stored.get(topic.encode()),
            dict(offsets),
            dict(sent),
            self._first_ms(topic, [(q.queue_id, q.committed, q.end) for q in queues]),
            self._first_ms(topic, [(q.queue_id, q.sent, q.end) for q in queues]),
            tuple(each.queue_id for each in queues),
        )
        if self._lacks_time:
            known.stored = _LOOK_AGAIN
        self._set_queues(values, queues, () if before is None else before.queues)

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
        self, values: Values, queues: list[_Queue], before: tuple[int, ...]
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
            for queue_id in known.queues:
                self._of_queues.remove((*known.values, str(queue_id)))

    def _set_ages(self) -> Steps[None]:
        """Set the ages of the first messages, which grow by themselves."""
        for some in parts_of(list(self._known.values()), COMPARED):
            now = int(self._now() * 1000)
            for known in some:
                since, ready_since = known.since_ms, known.ready_since_ms
                self._latency.set(known.values, max(0, now - since) if since else 0)
                self._queueing.set(
                    known.values, max(0, now - ready_since) if ready_since else 0
                )
            yield None

    def _first_ms(self, topic: str, queues: list[tuple[int, int, int]]) -> int:
        """Return when the oldest of some messages was stored; 0 if there is none."""
        times = [
            self._time_ms(topic, queue_id, at)
            for queue_id, at, end in queues
            if at < end
        ]
        return min((each for each in times if each > 0), default=0)

    def _time_ms(self, topic: str, queue_id: int, queue_offset: int) -> int:
        """Return when a message was stored; 0 if that is not known yet."""
        key = topic, queue_id, queue_offset
        known = self._times.get(key) or self._used.get(key)
        if known is None:
            known = self._read_ms(key)
        if known is None:
            self._lacks_time = True
            return 0
        self._used[key] = known
        return known

    def _read_ms(self, key: tuple[str, int, int]) -> int | None:
        """Read when a message was stored; None if that takes time, or fails."""
        if self._reads >= READS or key in self._reading:
            return None
        self._reads += 1
        try:
            found = self._store.store_time(*key)
        except RocketMQError:
            return None  # too many reads wait for the disk
        if not isinstance(found, Deferred):
            return found
        self._reading.add(key)
        found.addBoth(self._read, key)
        return self._used.get(key)

    def _read(self, result: object, key: tuple[str, int, int]) -> None:
        """Remember what came from the disk; after a failure it is read again."""
        self._reading.discard(key)
        if isinstance(result, int):
            self._used[key] = result
