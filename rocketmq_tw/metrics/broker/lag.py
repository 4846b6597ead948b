"""
How far groups are behind.

*Lag* counts the messages that a group has not committed, *in flight* those of them that
were sent to it, and *ready* the rest. The latencies are the ages of the first message
that is not committed, and of the first one that was not sent.

A queue of a group costs some 0.05 us for a page, and 0.3 us more if it has changed: see
:mod:`rocketmq_tw.metrics.chunks`. Offsets are looked at where some were committed.

Source: ``ConsumerLagCalculator`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.broker.first_times import StoreTimes
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels
from rocketmq_tw.metrics.broker.lag_chunk import Key, LagChunk, LagFamilies, LagTables
from rocketmq_tw.metrics.broker.messages import MessageMetrics
from rocketmq_tw.metrics.chunks import Chunks, in_turns
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.pacing import Steps


class LagMetrics:
    """
    Collects how far groups are behind.

    :param messages: has the numbers of the queues, and was collected before.
    :param counts_queues: whether each queue has a series, too.
    """

    def __init__(
        self,
        target: Target,
        broker: Broker,
        labels: GroupLabels,
        *,
        messages: MessageMetrics,
        counts_queues: bool,
    ) -> None:
        self._messages = messages
        self._is_whole = False
        self._now = wall_time(broker.clock)
        self._collected_at = self._now()
        self._times = StoreTimes(broker.store)
        self._offsets = broker.tables.offsets
        tables = broker.tables
        self._tables = LagTables(
            broker.store,
            tables.offsets,
            tables.progress,
            self._times,
            labels,
            messages.totals,
        )
        self._families = _families(target, counts_queues)
        self._chunks = Chunks(self._make)
        self._next = 0

    def collect(self) -> Steps[None]:
        """Set the series that have changed, and the ages of what is behind."""
        changed = self._offsets.take_changed()
        if not self._is_whole:
            changed = None
        # Until the end of this: what is taken once is not given again.
        self._is_whole = False
        self._chunks.update(list(self._offsets.table))
        before, self._collected_at = self._collected_at, self._now()
        self._times.begin(self._collected_at - before, before)
        yield None
        chunks = list(self._chunks)
        # Those come first for which there were no reads left on the last page.
        first = self._next % max(1, len(chunks))
        self._next = 0
        number = first
        for chunk in in_turns(chunks[first:] + chunks[:first], LagChunk.weight):
            if chunk is None:
                yield None
                continue
            had_reads = self._times.left > 0
            now_ms = int(self._now() * 1000)
            yield from chunk.collect(self._messages.version, changed, now_ms)
            if had_reads and not self._times.left:
                self._next = number
            number += 1
        self._tables.left.clear()
        self._is_whole = True

    def _make(self, keys: list[Key]) -> LagChunk:
        """Return a chunk of topics and groups."""
        return LagChunk(keys, self._tables, self._families)


def _families(target: Target, counts_queues: bool) -> LagFamilies:
    """Return the metrics."""

    def gauge(name: str, text: str) -> Family:
        return target.gauge(f"rocketmq_consumer_{name}", text, *GROUP_LABELS)

    queues: Family | None = None
    if counts_queues:
        queues = target.gauge(
            "rocketmq_consumer_queue_lag_messages",
            "Messages of a queue that the group has not committed",
            *GROUP_LABELS,
            "queue_id",
        )
    return LagFamilies(
        gauge("lag_messages", "Messages that the group has not committed"),
        gauge("inflight_messages", "Messages that were sent and not committed"),
        gauge("ready_messages", "Messages that were not sent yet"),
        gauge(
            "lag_latency_milliseconds", "Age of the first message that is not committed"
        ),
        gauge(
            "queueing_latency_milliseconds",
            "Age of the first message that was not sent",
        ),
        queues,
    )
