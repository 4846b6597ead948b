"""Tests of the topics that a broker has from its start."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.predefined import default_topics, made
from rocketmq_tw.model.topic import TIMER_TOPIC, TopicConfig


class PredefinedTests(SynchronousTestCase):
    """The predefined topics."""

    def names(self, **settings: Any) -> set[str]:
        """Return the names of those of a broker with some settings."""
        return {each.topic_name for each in default_topics("C", "b", **settings)}

    def test_settings(self) -> None:
        """TBW102 and the timer's topic depend on the settings, the others do not."""
        names = self.names()
        self.assertLessEqual({"C", "b", "TBW102", "C_REPLY_TOPIC"}, names)
        self.assertEqual(names - self.names(auto_create=False), {"TBW102"})
        self.assertEqual(self.names(timer_wheel=True) - names, {TIMER_TOPIC})
        self.assertEqual(self.names(trace_topic="Traces") - names, {"Traces"})

    def test_made(self) -> None:
        """As many queues to read as to write."""
        expected = TopicConfig("T", 3, 3, 6, topic_sys_flag=2, order=True)
        self.assertEqual(made("T", 3, sys_flag=2, order=True), expected)
