"""All tables of a broker, made and loaded together."""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.requests.heartbeat import NotifyConsumerIdsChanged
from tests.broker.doubles import MemoryConnection, client_of


class TablesTests(SynchronousTestCase):
    """Tables in a folder."""

    def setUp(self) -> None:
        """Make and load the tables of a new broker."""
        self.root = os.path.abspath(self.mktemp())
        self.clock = Clock()
        self.tables = self.load()

    def load(self, **settings: object) -> Tables:
        """Load what is in the folder."""
        config = BrokerConfig(
            broker_name="b", store_path_root_dir=self.root, **settings
        )  # type: ignore[arg-type]
        tables = Tables(config, self.clock, self.run_in_thread)
        tables.load()
        return tables

    def run_in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run it at once."""
        return maybeDeferred(function)

    def test_saved(self) -> None:
        """Topics, groups and offsets are there after the next start."""
        self.tables.topics.put(TopicConfig("T", 4, 4))
        self.tables.groups.put(SubscriptionGroup("G", consume_enable=False))
        self.tables.offsets.commit("G", "T", 0, 7)
        self.successResultOf(self.tables.save())
        found = self.load()
        self.assertEqual(found.topics.require("T").read_queue_nums, 4)
        self.assertFalse(found.groups.require("G").consume_enable)
        self.assertEqual(found.offsets.query("G", "T", 0), 7)

    def test_changes_follow(self) -> None:
        """A change is written in the next iteration; offsets wait for a save."""
        self.tables.topics.put(TopicConfig("T", 4, 4))
        self.tables.groups.put(SubscriptionGroup("G"))
        self.tables.offsets.commit("G", "T", 0, 7)
        self.assertEqual(os.listdir(self.tables.folder), ["topics.journal"])
        self.clock.advance(0)
        names = ["subscriptionGroup.json", "topics.json"]
        self.assertEqual(sorted(os.listdir(self.tables.folder)), names)

    def test_killed(self) -> None:
        """Topics that were changed and deleted before the file was written stay so."""
        topics = self.tables.topics
        topics.put(TopicConfig("Old", 4, 4))
        self.clock.advance(0)
        topics.put(TopicConfig("T", 4, 4))
        topics.put(TopicConfig("T", 7, 7))
        topics.delete("Old")
        version = topics.data_version
        found = self.load().topics
        self.assertEqual(found.require("T").read_queue_nums, 7)
        self.assertIsNone(found.get("Old"))
        self.assertEqual(found.data_version.counter, version.counter + 1)

    def test_settings(self) -> None:
        """The tables do as the broker's settings say."""
        found = self.load(
            auto_create_topic_enable=False,
            auto_create_subscription_group=False,
            broker_cluster_name="C",
        )
        self.assertIsNone(found.groups.find("New"))
        self.assertIn("C", found.topics.table)
        self.assertIsNone(found.topics.get("TBW102"))

    def test_members_are_notified(self) -> None:
        """The table of clients notifies the members of a group that is known."""
        one, two = MemoryConnection(), MemoryConnection()
        for peer in (one, two):
            self.tables.clients.register_consumer(
                "G",
                client_of(peer),
                consume_type=None,
                message_model=None,
                consume_from=None,
                subscriptions=[],
            )
        self.clock.advance(0)
        self.assertEqual(one.told, [NotifyConsumerIdsChanged("G")])
        self.assertEqual(two.told, [NotifyConsumerIdsChanged("G")])

    def test_what_could_not_be_written(self) -> None:
        """It is written by the next ``drain``."""
        path = os.path.join(self.tables.folder, "topics.json")
        os.mkdir(path + ".tmp")
        self.tables.topics.put(TopicConfig("T", 4, 4))
        self.clock.advance(0)
        self.assertFalse(os.path.exists(path))
        os.rmdir(path + ".tmp")
        self.successResultOf(self.tables.drain())
        self.assertTrue(os.path.exists(path))
