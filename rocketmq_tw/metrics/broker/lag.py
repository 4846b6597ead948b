"""
How far groups are behind.

*Lag* counts the messages that a group has not committed, *in flight* those of them that
were sent to it, and *ready* the rest. The latencies are the ages of the first message
that is not committed, and of the first one that was not sent.

A queue of a group costs some 0.2 us for a page, whether it has changed or not: see
:mod:`rocketmq_tw.metrics.chunks`.

Source: ``ConsumerLagCalculator`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.broker.first_times import StoreTimes
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels
from rocketmq_tw.metrics.broker.lag_chunk import Key, LagChunk, LagFamilies, LagTables
from rocketmq_tw.metrics.chunks import Chunks
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.pacing import Steps


class LagMetrics:
    """
    Collects how far groups are behind.

    :param version: changes when a queue was created or deleted.
    :param counts_queues: whether each queue has a series, too.
    """

    def __init__(
        self,
        target: Target,
        broker: Broker,
        labels: GroupLabels,
        *,
        version: Callable[[], int],
        counts_queues: bool,
    ) -> None:
        self._version = version
        self._now = wall_time(broker.clock)
        self._collected_at = self._now()
        self._times = StoreTimes(broker.store)
        self._offsets = broker.tables.offsets
        tables = broker.tables
        self._tables = LagTables(
            broker.store, tables.offsets, tables.progress, self._times, labels
        )
        self._families = _families(target, counts_queues)
        self._chunks = Chunks(self._make)
        self._next = 0

    def collect(self) -> Steps[None]:
        """Set the series that have changed, and the ages of what is behind."""
        self._chunks.update(list(self._offsets.table))
        before, self._collected_at = self._collected_at, self._now()
        self._times.begin(self._collected_at - before, before)
        yield None
        chunks = list(self._chunks)
        # Those come first for which there were no reads left on the last page.
        first = self._next % max(1, len(chunks))
        self._next = 0
        for number, chunk in enumerate(chunks[first:] + chunks[:first], first):
            had_reads = self._times.left > 0
            now_ms = int(self._now() * 1000)
            yield from chunk.collect(self._version(), now_ms)
            if had_reads and not self._times.left:
                self._next = number
            yield None
        self._tables.left.clear()

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
