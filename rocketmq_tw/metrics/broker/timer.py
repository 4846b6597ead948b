"""
Timed messages: how many wait, come and go, and when those are due that wait.

Counted by topic where they are linked and delivered, some hundred in one call. As in
Apache RocketMQ, what is due at once, is rolled or recalls another counts, too.

Source: ``DefaultStoreMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.broker.first_times import StoreTimes
from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.pacing import Steps, parts_of

if TYPE_CHECKING:
    from rocketmq_tw.broker.timer.parts import TimerParts

#: The bounds of delays, in seconds.
BOUNDS = (60, 600, 3600, 43_200, 86_400, 259_200)
#: The parts of a day, in seconds, of which each shows how many messages are due in it.
PARTS = (5, 60, 300, 900, 3600, 14_400, 28_800, 86_400)
#: Topics that are looked at in one step, and slots of the wheel.
TOPICS, SLOTS = 200, 2000
#: Seconds for which the numbers of the parts are shown again.
PERIOD = 10.0
#: What is first in the labels of all of them.
_DISK = ("local", "disk")
_DISK_LABELS = ("storage_type", "storage_medium")
_BY_TOPIC = (*_DISK_LABELS, "topic")
#: A delay is in whole seconds: so many ms are more than a bound.
_LIMITS_MS = [(bound + 1) * 1000 for bound in BOUNDS]


class TopicTimes:
    """
    The timed messages of a topic.

    :ivar linked: how many have come, and ``delivered`` how many have gone.
    :ivar delays: from their births until they are due, in seconds.
    """

    __slots__ = ("delays", "delivered", "linked")

    def __init__(self) -> None:
        self.linked = self.delivered = 0
        self.delays = Histogram(BOUNDS)


class TopicCounts:
    """
    The :class:`~rocketmq_tw.broker.timer.metrics.TimerMeter` of a broker.

    :param limit: how many topics have counts.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.table: dict[str, TopicTimes] = {}

    def linked(self, topic: str, delays_ms: list[int]) -> None:
        """Count messages; some 0.1 us for each."""
        found = self._of(topic)
        if found is None:
            return
        found.linked += len(delays_ms)
        delays_ms.sort()
        ends = [bisect_left(delays_ms, limit) for limit in _LIMITS_MS]
        counts = [end - start for start, end in pairwise((0, *ends, len(delays_ms)))]
        # Below zero the clock of the producer is ahead.
        known = delays_ms[bisect_left(delays_ms, 0) :]
        found.delays.add_counts(counts, sum(known) / 1000)

    def delivered(self, topic: str, count: int) -> None:
        """Count messages whose slot was emptied."""
        found = self._of(topic)
        if found is not None:
            found.delivered += count

    def _of(self, topic: str) -> TopicTimes | None:
        found = self.table.get(topic)
        if found is None and len(self.table) < self._limit:
            found = self.table[topic] = TopicTimes()
        return found


class TimedMessageMetrics:
    """Collects the state of the timer, and the counts of topics."""

    def __init__(self, target: Target, broker: Broker) -> None:
        self._timer = broker.measured.timer
        self._topics = broker.tables.topics
        self._counts = TopicCounts(broker.config.max_topics)
        self._now = wall_time(broker.clock)
        self._times = StoreTimes(broker.store)
        self._looked_at = -PERIOD
        self._families(target)
        if self._timer is not None:
            self._timer.meter = self._counts
        self._topics.on_change.append(self._topic_changed)

    def _families(self, target: Target) -> None:
        """Make the metrics."""
        self._behind = target.gauge(
            "rocketmq_timer_enqueue_latency_milliseconds",
            "Age of the first timed message that is not in the wheel",
            *_DISK_LABELS,
        )
        self._parts = target.gauge(
            "rocketmq_timer_message_snapshot",
            "Timed messages that are due in a part of the next day, by its end",
            *_DISK_LABELS,
            "timer_bound_s",
        )
        self._waiting = target.gauge(
            "rocketmq_timing_messages", "Timed messages that wait", *_BY_TOPIC
        )
        self._linked = target.counter(
            "rocketmq_timer_enqueue_total",
            "Timed messages that were put into the wheel, or were due",
            *_BY_TOPIC,
        )
        self._delivered = target.counter(
            "rocketmq_timer_dequeue_total",
            "Timed messages that were delivered, or put into the wheel again",
            *_BY_TOPIC,
        )
        self._delays = target.family(
            "rocketmq_delay_message_latency_seconds",
            "histogram",
            "From the birth of timed messages until they are due",
            _BY_TOPIC,
            BOUNDS,
        )

    def collect(self) -> Steps[None]:
        """Set the series that have changed."""
        parts = None if self._timer is None else self._timer.parts
        if parts is None:
            self._behind.set(_DISK, 0)
            self._set_parts([0] * len(PARTS))
            yield None
            return
        self._collect_behind(parts)
        yield from self._collect_waiting(parts)
        yield from self._collect_counts()
        yield from self._collect_parts(parts)

    def _collect_behind(self, parts: TimerParts) -> None:
        """Set the age of the first message that is not linked."""
        linking = parts.linking
        if not linking.has_more():
            self._behind.set(_DISK, 0)
            return
        self._times.begin(0)
        time_ms = self._times.read((TIMER_TOPIC, 0), linking.queue_offset)
        if time_ms is not None:
            age = int(self._now() * 1000) - time_ms
            self._behind.set(_DISK, max(0, age) if time_ms > 0 else 0)

    def _collect_waiting(self, parts: TimerParts) -> Steps[None]:
        """Set how many messages of each topic wait."""
        counts = list(parts.metrics.counts.items())
        self._waiting.keep_only([(*_DISK, topic) for topic, _ in counts])
        for some in parts_of(counts, TOPICS):
            for topic, count in some:
                self._waiting.set((*_DISK, topic), max(0, count))
            yield None

    def _collect_counts(self) -> Steps[None]:
        """Set what was counted of each topic."""
        table = self._counts.table
        for some in parts_of(list(table), TOPICS):
            for topic in some:
                found, values = table.get(topic), (*_DISK, topic)
                if found is None:
                    continue  # it has gone since the last step
                self._linked.set(values, found.linked)
                self._delivered.set(values, found.delivered)
                if found.delays.count:
                    self._delays.set_histogram(values, found.delays)
            yield None

    def _collect_parts(self, parts: TimerParts) -> Steps[None]:
        """Count the messages in the wheel, if that was not done just now."""
        timers = parts.service.timers
        if timers is None or not parts.metrics.waiting:
            self._set_parts([0] * len(PARTS))
            return
        if 0 <= self._now() - self._looked_at < PERIOD:
            return
        self._looked_at = self._now()
        now_ms = int(self._looked_at * 1000)
        step_ms, start_ms = timers.placement.precision_ms, now_ms
        counts = []
        for part in PARTS:
            end_ms, count = now_ms + part * 1000, 0
            while start_ms < end_ms:
                slots = min(SLOTS, -(-(end_ms - start_ms) // step_ms))
                count += timers.wheel.count(start_ms, slots)
                start_ms += slots * step_ms
                yield None
            counts.append(max(0, count))
        self._set_parts(counts)

    def _set_parts(self, counts: list[int]) -> None:
        for part, count in zip(PARTS, counts, strict=True):
            self._parts.set((*_DISK, str(part)), count)

    def _topic_changed(self, name: str) -> None:
        """Remove the series of a topic that is gone; it may come again."""
        if name in self._topics.table or not self._counts.table.pop(name, None):
            return
        for family in (self._linked, self._delivered, self._delays):
            family.remove((*_DISK, name))
