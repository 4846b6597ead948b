"""Timed messages: how many wait, come and go."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.broker import Install
from rocketmq_tw.metrics.broker.timer import PARTS, PERIOD, TopicCounts
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.requests.recall import RecallMessage
from tests.broker.cases import TOPIC, sent
from tests.broker.timer.cases import TimerCase
from tests.metrics.broker.cases import MetricsCase
from tests.metrics.reading import Reading

WAITING = "rocketmq_timing_messages"
LINKED = "rocketmq_timer_enqueue_total"
DELIVERED = "rocketmq_timer_dequeue_total"
DELAY = "rocketmq_delay_message_latency_seconds"
PARTS_NAME = "rocketmq_timer_message_snapshot"
BEHIND = "rocketmq_timer_enqueue_latency_milliseconds"


class TimerMetricsCase(TimerCase, MetricsCase):
    """Reads what the timer of a broker has done."""

    def more_features(self) -> Sequence[Install]:
        """Measure."""
        return MetricsCase.more_features(self)

    def counts(self, page: Reading, topic: str = TOPIC) -> list[float | None]:
        """Return how many messages wait, have come, and have gone."""
        names = WAITING, LINKED, DELIVERED
        return [page.get(name, topic=topic) for name in names]

    def parts_of(self, page: Reading) -> dict[int, float]:
        """Return how many messages are due in each part of a day."""
        found = page.labels(PARTS_NAME)
        return {
            int(each["timer_bound_s"]): page.get(PARTS_NAME, **each) or 0
            for each in found
        }


class TimerTests(TimerMetricsCase):
    """Timed messages of a broker."""

    settings = {"timer_max_delay_sec": 3 * 86_400}

    def test_nothing(self) -> None:
        """Without any nothing waits, and no topic has series."""
        page = self.read()
        self.assertEqual(self.parts_of(page), dict.fromkeys(PARTS, 0))
        self.assertEqual(page.get(BEHIND), 0)
        self.assertEqual(page.names & {WAITING, LINKED, DELIVERED}, set())

    def test_waiting(self) -> None:
        """What waits was linked; it has the labels of Apache RocketMQ."""
        for _ in range(3):
            self.timed(TIMER_DELAY_SEC=30)
        self.timed(topic="Other", TIMER_DELAY_SEC=30)
        self.wait(1)
        page = self.read()
        self.assertEqual(self.counts(page), [3, 3, 0])
        self.assertEqual(self.counts(page, "Other"), [1, 1, 0])
        [labels] = [each for each in page.labels(WAITING) if each["topic"] == TOPIC]
        self.assertEqual(labels["storage_type"], "local")
        self.assertEqual(labels["storage_medium"], "disk")

    def test_delivered(self) -> None:
        """What is due goes."""
        self.timed(TIMER_DELAY_SEC=2)
        self.timed(TIMER_DELAY_SEC=30)
        self.wait(4)
        self.assertEqual(len(self.bodies()), 1)
        self.assertEqual(self.counts(self.read()), [1, 2, 1])

    def test_recalled(self) -> None:
        """What is recalled comes twice, and goes nowhere."""
        self.topic()
        text = self.timed(TIMER_DELAY_SEC=3).recall_handle
        self.ask(RecallMessage(TOPIC, text))
        self.wait(5)
        self.assertEqual(self.bodies(), [])
        self.assertEqual(self.counts(self.read()), [0, 2, 0])

    def test_delay(self) -> None:
        """The histogram has the delays that were asked for."""
        for delay in (50, 5000, 50_000):
            text = properties.encode({"UNIQ_KEY": "k", "TIMER_DELAY_SEC": str(delay)})
            self.ask(sent(properties=text, born_timestamp=self.now_ms))
        self.wait(1)
        page = self.read()
        found = [
            page.get(f"{DELAY}_bucket", le=bound, topic=TOPIC)
            for bound in ("60.0", "600.0", "3600.0", "43200.0", "86400.0", "+Inf")
        ]
        self.assertEqual(found, [1, 1, 1, 2, 3, 3])
        total = page.get(f"{DELAY}_sum", topic=TOPIC)
        assert total is not None
        self.assertTrue(55_040 < total <= 55_050, total)

    def test_parts(self) -> None:
        """They show when what waits is due; beyond a day nothing counts."""
        for delay in (3, 30, 50, 1000, 80_000, 100_000):
            self.timed(TIMER_DELAY_SEC=delay)
        self.wait(1)
        expected = dict.fromkeys(PARTS, 0) | {5: 1, 60: 2, 3600: 1, 86_400: 1}
        self.assertEqual(self.parts_of(self.read()), expected)

    def test_parts_are_kept(self) -> None:
        """The wheel is looked at every ten seconds at most."""
        self.timed(TIMER_DELAY_SEC=30)
        self.wait(1)
        self.read()
        self.timed(TIMER_DELAY_SEC=30)
        self.wait(1)
        self.assertEqual(self.parts_of(self.read())[60], 1)
        self.wait(PERIOD)
        self.assertEqual(self.parts_of(self.read())[60], 2)

    def test_behind(self) -> None:
        """The age of what is not linked grows until it is."""
        self.timed(TIMER_DELAY_SEC=1000)
        self.wait(1)
        self.parts.service.stop()
        self.timed(TIMER_DELAY_SEC=1000)
        self.wait(7)
        found = self.read().get(BEHIND)
        assert found is not None
        self.assertTrue(7000 <= found < 8000, found)
        self.parts.service.start()
        self.wait(1)
        self.assertEqual(self.read().get(BEHIND), 0)

    def test_topic_is_made_again(self) -> None:
        """The counters of a topic that was deleted begin again."""
        self.timed(TIMER_DELAY_SEC=1)
        self.wait(3)
        self.read()
        self.tables.topics.delete(TOPIC)
        self.assertEqual(self.counts(self.read())[1:], [None, None])
        self.timed(TIMER_DELAY_SEC=100)
        self.wait(1)
        self.assertEqual(self.counts(self.read()), [1, 1, 0])


class OtherWaysTests(TimerMetricsCase):
    """Messages that are not usual are counted as well."""

    def test_due_at_once(self) -> None:
        """What is due when it is linked comes and goes."""
        self.timed(TIMER_DELAY_SEC=1000)
        self.wait(1)
        self.parts.service.stop()
        self.timed(b"late", TIMER_DELAY_SEC=2)
        self.wait(5)
        self.parts.service.start()
        self.wait(2)
        self.assertEqual(self.bodies(), [b"late"])
        self.assertEqual(self.counts(self.read()), [1, 2, 1])

    def test_read_from_disk(self) -> None:
        """What the lane does not remember has the same delay."""
        self.timed(TIMER_DELAY_SEC=1000)
        self.wait(1)
        linking = self.parts.linking
        found: list[list[int]] = []
        linking.meter = _Meter(found)
        due_ms = self.now_ms + 700_000
        for is_quick in (True, False):
            if not is_quick:
                linking._usual = lambda data, at, step: 0
            self.timed(TIMER_DELIVER_MS=due_ms)
            self.wait(0.1)
        (first,), (second,) = found
        self.assertEqual(first, second)


class _Meter:
    """Remembers delays."""

    def __init__(self, found: list[list[int]]) -> None:
        self._found = found

    def linked(self, topic: str, delays_ms: list[int]) -> None:
        self._found.append(list(delays_ms))

    def delivered(self, topic: str, count: int) -> None:
        """Count nothing."""


class TopicCountsTests(SynchronousTestCase):
    """Counts of two topics at most."""

    def test_limit(self) -> None:
        """More have none; those that are go on."""
        counts = TopicCounts(2)
        for topic in ("A", "B", "C", "A"):
            counts.linked(topic, [1000])
            counts.delivered(topic, 1)
        self.assertEqual(set(counts.table), {"A", "B"})
        self.assertEqual(counts.table["A"].linked, 2)
        self.assertEqual(counts.table["A"].delivered, 2)

    def test_whole_seconds(self) -> None:
        """A part of a second more than a bound is in its bucket, as in the original."""
        counts = TopicCounts(2)
        counts.linked("A", [61_000, 60_999, -5])
        delays = counts.table["A"].delays
        self.assertEqual(list(delays.cumulative())[:2], [2, 3])
        self.assertEqual((delays.count, delays.sum), (3, 121.999))
