"""
Pops: the records of the revive log, what is copied to retry topics, and how late.

A check point is written for each pop, and a record for each acknowledgement; both are
done once the last message of the pop is acknowledged, or has a copy. Apache RocketMQ
counts them when it reads its revive log, some time later.

Source: ``PopMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Final

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.pop.in_flight import Popped
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Series that are looked at in one step.
SERIES = 500
#: The bounds of the time of a pass, in milliseconds.
BOUNDS = (1, 10, 100, 1000, 2000, 3000)
_GROUP: Final = ("consumer_group", "topic")
_KIND, _STATUS = "revive_message_type", "put_status"
_OK, _FAILED = "PUT_OK", "UNKNOWN_ERROR"


class Counts:
    """
    How often something was counted, by the values of labels.

    :param limit: how many of these there may be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.table: dict[Values, int] = {}

    def add(self, values: Values, count: int = 1) -> None:
        """Count; nothing if there are too many series."""
        known = self.table.get(values)
        if known is not None or len(self.table) < self._limit:
            self.table[values] = (known or 0) + count


class PopCounts:
    """
    The :class:`~rocketmq_tw.broker.pop.meter.PopMeter` of a broker.

    :param limit: how many series each metric has.
    """

    def __init__(self, limit: int) -> None:
        self.in_log, self.out_of_log, self.copies = (Counts(limit) for _ in range(3))
        self.passes = Histogram(BOUNDS)

    def written(self, popped: Popped, kind: str, count: int = 1) -> None:
        """Count records that were written; there are no others: 0.3 us."""
        self.in_log.add((popped.group, popped.topic, kind, _OK), count)

    def done(self, popped: Popped, kind: str, count: int = 1) -> None:
        """Count records that are done."""
        queue = str(popped.revive_queue)
        self.out_of_log.add((popped.group, popped.topic, queue, kind), count)

    def copied(self, popped: Popped, is_stored: bool) -> None:
        """Count copies."""
        status = _OK if is_stored else _FAILED
        self.copies.add((popped.group, popped.topic, status))

    def passed(self, seconds: float) -> None:
        """Count a pass."""
        self.passes.add(seconds * 1000)


class PopMetrics:
    """Collects what pops have become of."""

    def __init__(self, target: Target, broker: Broker) -> None:
        self._parts = broker.measured.pop
        self._topics = broker.tables.topics
        self._now = wall_time(broker.clock)
        self._counts = PopCounts(broker.config.max_topics)
        self._counted = self._counters(target)
        self._gauges(target)
        if self._parts is not None:
            self._parts.journal.meter = self._counts
            self._parts.revival.meter = self._counts
        self._topics.on_change.append(self._topic_changed)

    def _counters(self, target: Target) -> list[tuple[Counts, Family]]:
        """Make the metrics of what is counted."""
        counts = self._counts
        made = (
            (
                counts.in_log,
                "rocketmq_pop_revive_in_message_total",
                "Check points and acknowledgements of pops that were written",
                (*_GROUP, _KIND, _STATUS),
            ),
            (
                counts.out_of_log,
                "rocketmq_pop_revive_out_message_total",
                "Check points and acknowledgements of pops that are done",
                (*_GROUP, "queue_id", _KIND),
            ),
            (
                counts.copies,
                "rocketmq_pop_revive_retry_messages_total",
                "Copies of messages that were popped and not acknowledged",
                (*_GROUP, _STATUS),
            ),
        )
        return [
            (counted, target.family(name, "counter", text, labels))
            for counted, name, text, labels in made
        ]

    def _gauges(self, target: Target) -> None:
        """Make the metrics of the state."""
        gauge = target.gauge
        self._lag = gauge(
            "rocketmq_pop_revive_lag_milliseconds",
            "Pops whose time is over and that are not looked at yet; a number",
            "queue_id",
        )
        self._latency = gauge(
            "rocketmq_pop_revive_latency_milliseconds",
            "For how long the time of the oldest of these is over",
            "queue_id",
        )
        self._size = gauge(
            "rocketmq_pop_checkpoint_buffer_size",
            "Pops with messages that are not acknowledged",
        )
        self._passes = target.family(
            "rocketmq_pop_buffer_scan_time_consume_milliseconds",
            "histogram",
            "How long it took to copy all that was due",
            (),
            BOUNDS,
        )

    def collect(self) -> Steps[None]:
        """Set the series."""
        self._collect_state()
        for counts, family in self._counted:
            for some in parts_of(list(counts.table.items()), SERIES):
                for values, count in some:
                    if values in counts.table:  # it may have gone since the last step
                        family.set(values, count)
                yield None

    def _collect_state(self) -> None:
        """Set what is in flight, and what is late."""
        if self._parts is None:
            return
        journal, now_ms = self._parts.journal, int(self._now() * 1000)
        late = journal.in_flight.late(now_ms)
        for queue in range(journal.queues):
            count, since_ms = late.get(queue, (0, now_ms))
            self._lag.set((str(queue),), count)
            self._latency.set((str(queue),), now_ms - since_ms)
        self._size.set((), len(journal.in_flight))
        if self._counts.passes.count:
            self._passes.set_histogram((), self._counts.passes)

    def _topic_changed(self, name: str) -> None:
        """Remove the series of a topic that is gone; it may come again."""
        if name in self._topics.table:
            return
        for counts, family in self._counted:
            for values in [each for each in counts.table if each[1] == name]:
                del counts.table[values]
                family.remove(values)
