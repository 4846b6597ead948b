"""Tests of the windows of topics, queues and groups: when they are made and dropped."""

from __future__ import annotations

from typing import Any

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.broker.statistics import service
from rocketmq_tw.broker.statistics.windows import DAY
from rocketmq_tw.wire.requests.group import DeleteGroup
from rocketmq_tw.wire.requests.topic import DeleteTopic
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent


class StatisticsTests(BrokerCase):
    """Those of a running broker."""

    settings = {"max_statistics": 5}

    def setUp(self) -> None:
        """Store a message, and let a group have it."""
        super().setUp()
        self.statistics: Any = self.broker.statistics
        self.ask(sent())
        self.ask(pulled())

    def test_sampled(self) -> None:
        """Nothing has windows before the first sample; then all that was used has."""
        self.assertEqual(len(self.statistics), 0)
        self.clock.pump([10.0])
        self.assertEqual(list(self.statistics.topics), [TOPIC])
        self.assertEqual(list(self.statistics.queues), [(TOPIC, 0)])
        self.assertEqual(list(self.statistics.groups), [(TOPIC, GROUP)])
        gauges = self.statistics.gauges()
        self.assertEqual(gauges["statistics"](), 3)

    def test_nothing_twice(self) -> None:
        """A second sample adds only what came since."""
        self.clock.pump([10.0] * 2)
        self.ask(sent())
        self.clock.pump([10.0])
        size = self.store.commit_log_max
        self.assertEqual(self.statistics.topics[TOPIC].totals, [2, size])
        self.assertEqual(self.statistics.broker.totals[:2], [2, size])

    def test_limit(self) -> None:
        """Further ones are counted nowhere; that is logged once, and shown."""
        with capturedLogs() as events:
            for name in ("Other", "Third"):
                self.ask(sent(name))
            self.clock.pump([10.0] * 3)
        self.assertEqual(len(self.statistics), 5)
        self.assertEqual(self.statistics.gauges()["statisticsRefused"](), 2)
        self.assertEqual(self.statistics.broker.totals[0], 3)
        said = [formatEvent(each) for each in events]
        self.assertEqual(len([each for each in said if "maxStatistics" in each]), 1)

    def test_many_queues(self) -> None:
        """Those of a topic with many are not looked at for one request."""
        self.patch(service, "AT_ONCE", 2)
        for queue_id in range(3):
            self.ask(sent("Wide", queue_id=queue_id))
        self.assertIsNone(self.statistics.topic("Wide"))
        self.assertEqual(self.statistics.queue("Wide", 1).totals[0], 1)
        self.assertEqual(self.statistics.topics["Wide"].totals[0], 1)
        self.clock.pump([10.0])
        self.assertEqual(self.statistics.topic("Wide").totals[0], 3)

    def test_deleted_topic(self) -> None:
        """Its windows go with it, and those of its queues and groups."""
        self.clock.pump([10.0])
        self.ask(DeleteTopic(TOPIC))
        self.assertEqual(len(self.statistics), 0)
        self.ask(sent())
        self.assertEqual(self.statistics.topic(TOPIC).totals[0], 1)

    def test_deleted_topic_without_messages(self) -> None:
        """Those of its groups go, too, if all its messages are from before a start."""
        self.restart()
        self.ask(pulled())
        self.clock.pump([10.0])
        statistics: Any = self.broker.statistics
        self.assertEqual(list(statistics.groups), [(TOPIC, GROUP)])
        self.ask(DeleteTopic(TOPIC))
        self.assertEqual(len(statistics), 0)

    def test_deleted_group(self) -> None:
        """Its windows go at the next sample."""
        self.clock.pump([10.0])
        self.ask(DeleteGroup(GROUP))
        self.clock.pump([10.0])
        self.assertEqual(list(self.statistics.groups), [])

    def test_idle_for_a_day(self) -> None:
        """Then they are dropped; the next message is counted alone."""
        self.clock.pump([10.0])
        for windows in (self.statistics.topics, self.statistics.queues):
            for each in windows.values():
                each.idle = DAY - 1
        self.clock.pump([10.0])
        self.assertEqual(len(self.statistics.topics), 0)
        self.ask(sent())
        self.assertEqual(self.statistics.topic(TOPIC).totals[0], 1)

    def test_restart(self) -> None:
        """Messages of before are not counted again."""
        self.restart()
        self.assertIsNone(self.broker.statistics.topic(TOPIC))
