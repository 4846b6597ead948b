"""Entries of configuration documents that no request could have made."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.checks import check_group
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import GroupSubscription, SubscriptionGroup
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.errors import BadField
from tests.broker.doubles import MemoryFile

_LONG = "A" * 300


class ChecksTests(SynchronousTestCase):
    """What is left out, and what the log says."""

    def setUp(self) -> None:
        """Keep what is logged."""
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def assert_logged(self, count: int, why: str) -> None:
        """Expect one line that says how many entries were left out."""
        logged = [each for each in self.events if "count" in each]
        self.assertEqual([each["count"] for each in logged], [count])
        self.assertIn(why, logged[0]["why"])

    def test_topics(self) -> None:
        """Names and numbers; the broker's own topics may have names with dots."""
        entries = {
            "Good": '"topicName":"Good","readQueueNums":4,"writeQueueNums":4',
            "Other": '"topicName":"Good"',
            "../up": '"topicName":"../up"',
            _LONG: f'"topicName":"{_LONG}"',
            "Many": '"topicName":"Many","readQueueNums":65536',
            "Less": '"topicName":"Less","writeQueueNums":-1',
            "Perm": '"topicName":"Perm","perm":16',
            "my.host": '"topicName":"my.host","readQueueNums":3,"writeQueueNums":3',
        }
        table = TopicTable(
            _file("topicConfigTable", entries), "C", "my.host", clock=Clock()
        )
        before = set(table._defaults)
        table.load()
        self.assertEqual(set(table.table), {*before, "Good"})
        self.assertEqual(table.table["Good"], TopicConfig("Good", 4, 4))
        self.assertEqual(table.table["my.host"].read_queue_nums, 3)
        self.assert_logged(6, "topicName is Good; expected Other")

    def test_large_group(self) -> None:
        """The texts of a group are limited: a request may have a megabyte of them."""
        name = "G"
        check_group(name, SubscriptionGroup(name, attributes={"a": "x" * 8191}))
        with self.assertRaises(BadField) as caught:
            check_group(name, SubscriptionGroup(name, attributes={"a": "x" * 8192}))
        self.assertIn("of 8193 characters; expected 8192", str(caught.exception))
        many = (GroupSubscription("T"),) * 90
        with self.assertRaises(BadField):
            check_group(name, SubscriptionGroup(name, subscription_data_set=many))

    def test_groups(self) -> None:
        """Likewise; a group may have no queue for redelivery."""
        entries = {
            "Good": '"groupName":"Good","retryQueueNums":0',
            "None": '"groupName":"None","retryQueueNums":-1',
            "a b": '"groupName":"a b"',
            "Many": '"groupName":"Many","retryQueueNums":2147483647',
        }
        table = GroupTable(_file("subscriptionGroupTable", entries), clock=Clock())
        table.load()
        self.assertLessEqual({"Good", "None"}, set(table.table))
        self.assertFalse({"a b", "Many"} & set(table.table))
        self.assert_logged(2, '"a b" is not allowed')

    def test_offsets(self) -> None:
        """Both names, queue ids and offsets."""
        entries = {
            "T@G": "0:7,1:9223372036854775807",
            "T": "0:7",
            "T@a b": "0:7",
            "../up@G": "0:7",
            "B@G": "-1:7",
            "C@G": "2147483648:7",
        }
        offsets = ConsumerOffsets(_file("offsetTable", entries), clock=Clock())
        offsets.load()
        self.assertEqual(offsets.table, {("T", "G"): {0: 7, 1: 2**63 - 1}})
        self.assert_logged(5, "group")

    def test_all_are_usable(self) -> None:
        """Nothing is logged."""
        ConsumerOffsets(_file("offsetTable", {"T@G": "0:7"}), clock=Clock()).load()
        self.assertEqual([each for each in self.events if "count" in each], [])


def _file(table: str, entries: dict[str, str]) -> MemoryFile:
    """Make a document of one table."""
    inner = ",".join(f'"{name}":{{{text}}}' for name, text in entries.items())
    return MemoryFile(f'{{"{table}":{{{inner}}}}}'.encode())
