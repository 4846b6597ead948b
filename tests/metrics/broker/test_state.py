"""The state of a broker in a few numbers."""

from __future__ import annotations

from rocketmq_tw.metrics.broker.state import PROCESSORS, TIMER
from tests.metrics.broker.cases import MetricsCase


class StateTests(MetricsCase):
    """Permission, tables, and what waits."""

    def test_tables(self) -> None:
        """How much there is."""
        before = self.read()
        self.topic("A")
        self.tables.groups.find("g")
        page = self.read()
        self.assertEqual(page.get("rocketmq_broker_permission"), 6)
        self.assertEqual(page.get("rocketmq_lmq_number"), 0)
        for name in ("rocketmq_topic_number", "rocketmq_consumer_group_number"):
            self.assertEqual(page.get(name), (before.get(name) or 0) + 1)

    def test_processors(self) -> None:
        """All processors of Apache RocketMQ; what waits here is a counter's."""
        self.stats.gauges["coldPulls"] = lambda: 7
        page = self.read()
        name = "rocketmq_processor_watermark"
        for processor in PROCESSORS:
            expected = 7 if processor == "pull" else 0
            self.assertEqual(page.get(name, processor=processor), expected)

    def test_known_counters(self) -> None:
        """The counters that are read by name exist."""
        names = {each for each in PROCESSORS.values() if each}
        names |= {key for key, _, _ in TIMER.values()}
        self.assertEqual(names - self.stats.gauges.keys(), set())

    def test_timer(self) -> None:
        """Seconds become milliseconds."""
        self.stats.gauges["timerReadBehind"] = lambda: 3
        found = self.read().get("rocketmq_timer_dequeue_latency_milliseconds")
        self.assertEqual(found, 3000)
