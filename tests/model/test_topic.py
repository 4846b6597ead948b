"""Tests of rocketmq_tw.model.topic."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model import topic
from rocketmq_tw.model.errors import IllegalGroup, IllegalTopic


class NameTests(SynchronousTestCase):
    """Names of topics and groups keep to Apache RocketMQ's rules."""

    def test_legal_names_pass(self) -> None:
        """All characters of the alphabet pass, up to the longest name."""
        for name in ("T", "%a|b-c_D9", "x" * 127, "%RETRY%" + "g" * 248):
            topic.check_topic_name(name)
        topic.check_group_name("g" * 120)

    def test_illegal_topics_are_refused(self) -> None:
        """Blank, too long and illegal names are refused."""
        for name in (
            "",
            "  ",
            "a b",
            "a+b",
            "ü",
            "a\n",
            "x" * 128,
            "%DLQ%" + "g" * 251,
        ):
            self.assertRaises(IllegalTopic, topic.check_topic_name, name)

    def test_illegal_groups_are_refused(self) -> None:
        """A group may not be so long that its retry topic would be too long."""
        for name in ("", "\t", "a.b", "g" * 121):
            self.assertRaises(IllegalGroup, topic.check_group_name, name)

    def test_the_error_says_why(self) -> None:
        """The error says which name and why."""
        error = self.assertRaises(IllegalTopic, topic.check_topic_name, "a b")
        self.assertEqual(error.name, "a b")
        self.assertIn("illegal characters", error.why)

    def test_reserved_names(self) -> None:
        """Retry and dead letter topics are made from the group, and recognised."""
        self.assertEqual(topic.retry_topic("g"), "%RETRY%g")
        self.assertEqual(topic.dlq_topic("g"), "%DLQ%g")
        self.assertEqual(topic.pop_retry_topic("g", "t"), "%RETRY%g_t")
        self.assertEqual(topic.pop_retry_topic_v2("g", "t"), "%RETRY%g+t")
        self.assertTrue(topic.is_retry("%RETRY%g"))
        self.assertFalse(topic.is_retry("%DLQ%g"))
        self.assertTrue(topic.is_dlq("%DLQ%g"))
        self.assertTrue(topic.is_lmq("%LMQ%q"))


class SystemTopicTests(SynchronousTestCase):
    """The topics of the system."""

    def test_not_sendable_are_system_topics(self) -> None:
        """What clients must not send to belongs to the system, but not vice versa."""
        others = topic.NOT_SENDABLE - topic.SYSTEM_TOPICS
        self.assertEqual([n for n in others if not n.startswith("rmq_sys_")], [])
        self.assertNotIn("TBW102", topic.NOT_SENDABLE)


class TopicConfigTests(SynchronousTestCase):
    """The defaults are Java's."""

    def test_defaults(self) -> None:
        """Sixteen queues each way, readable and writable, unordered."""
        config = topic.TopicConfig("T")
        self.assertEqual((config.read_queue_nums, config.write_queue_nums), (16, 16))
        self.assertEqual((config.perm, config.topic_sys_flag), (6, 0))
        self.assertEqual(config.topic_filter_type, "SINGLE_TAG")
        self.assertFalse(config.order)
        self.assertEqual(config.attributes, {})

    def test_permissions(self) -> None:
        """Reading and writing are bits of their own."""
        self.assertTrue(topic.is_readable(4))
        self.assertFalse(topic.is_writable(4))
        self.assertTrue(topic.is_writable(7))
        self.assertFalse(topic.is_readable(1))
