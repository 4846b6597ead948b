"""How often messages of a group are tried, and where they go."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.retries import RetryRules
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.errors import Refused
from tests.broker.doubles import MemoryFile

NEW_CLIENT, OLD_CLIENT = 479, 120


class RetryRulesTests(SynchronousTestCase):
    """A group that tries three times."""

    def setUp(self) -> None:
        """Make the tables."""
        clock = Clock()
        self.topics = TopicTable(MemoryFile(), "C", "b", clock=clock)
        self.groups = GroupTable(MemoryFile(), clock=clock, auto_create=False)
        self.groups.put(SubscriptionGroup("G", retry_max_times=3, retry_queue_nums=2))
        self.locked: set[str] = set()
        self.progress = ConsumeProgress()
        self.rules = RetryRules(
            topics=self.topics,
            groups=self.groups,
            is_locked=self.locked.__contains__,
            progress=self.progress,
        )

    def target(
        self, times: int, own_limit: int | None = None, version: int = NEW_CLIENT
    ) -> str:
        """Return where a send to the group's retry topic goes."""
        return self.rules.target(
            "%RETRY%G", times=times, own_limit=own_limit, version=version
        ).topic_name

    def test_limit(self) -> None:
        """Up to the limit it is tried again, beyond it is a dead letter."""
        self.assertEqual(self.target(3), "%RETRY%G")
        self.assertEqual(self.target(4), "%DLQ%G")
        [(key, entry)] = self.progress.table.items()
        self.assertEqual((key, entry.dead_letters), (("%RETRY%G", "G"), 1))

    def test_own_limit(self) -> None:
        """The client's limit counts, unless the client is too old to mean it."""
        self.assertEqual(self.target(1, own_limit=0), "%DLQ%G")
        self.assertEqual(self.target(9, own_limit=9), "%RETRY%G")
        self.assertEqual(self.target(1, own_limit=0, version=OLD_CLIENT), "%RETRY%G")
        self.assertEqual(self.target(9, own_limit=9, version=OLD_CLIENT), "%DLQ%G")

    def test_locked(self) -> None:
        """A group that consumes in order sends only what it has given up."""
        self.locked.add("G")
        self.assertEqual(self.target(0), "%DLQ%G")

    def test_topics(self) -> None:
        """Both topics are created with the queues that they need."""
        group = self.rules.group("G")
        self.assertEqual(self.rules.retry_topic(group).write_queue_nums, 2)
        self.assertEqual(self.rules.dead_letters("G").write_queue_nums, 1)
        self.assertIn("%RETRY%G", self.topics.table)

    def test_unknown_group(self) -> None:
        """It is refused with code 26."""
        error = self.assertRaises(Refused, self.rules.group, "Nobody")
        self.assertEqual(int(error.code), 26)
