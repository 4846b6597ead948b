"""Tests of what a message may not exceed."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.log.limits import check_queue, check_sizes, check_topic
from tests.store.cases import draft


class LimitTests(SynchronousTestCase):
    """The border, and one step behind it."""

    def test_sizes(self) -> None:
        """Bodies as configured, properties up to 32,767 bytes."""
        check_sizes(draft(bytes(10), properties=bytes(32_767)), 10)
        self.assertRaises(RecordTooLong, check_sizes, draft(bytes(11)), 10)
        long = draft(properties=bytes(32_768))
        self.assertRaises(PropertiesTooLong, check_sizes, long, 10)

    def test_topics(self) -> None:
        """Those of retries and dead letters may be longer."""
        check_topic(b"t" * 127)
        self.assertRaises(TopicTooLong, check_topic, b"t" * 128)
        for prefix in (b"%RETRY%", b"%DLQ%"):
            check_topic(prefix.ljust(255, b"g"))
            self.assertRaises(TopicTooLong, check_topic, prefix.ljust(256, b"g"))

    def test_queues(self) -> None:
        """Topic and queue id become a path."""
        check_queue(b"%RETRY%group_a-1|b", 0)
        for topic in (b"", b"..", b"a/b", b"\xff", b"a b"):
            self.assertRaises(IllegalTopic, check_queue, topic, 0)
        self.assertRaises(IllegalTopic, check_queue, b"T", -1)
