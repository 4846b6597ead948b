"""Tests of settings that are changed while the broker runs."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.settings import to_values
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.kvtable import decode_properties, encode_properties
from rocketmq_tw.wire.requests.admin import GetBrokerConfig, UpdateBrokerConfig
from rocketmq_tw.wire.requests.recall import RecallMessage
from rocketmq_tw.wire.requests.send import SendBack
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent


class LiveCase(BrokerCase):
    """Changes settings as ``mqadmin updateBrokerConfig`` does."""

    def update(self, **values: str) -> UpdateBrokerConfig:
        """Make the request."""
        return UpdateBrokerConfig(body=encode_properties(values))

    def change(self, **values: str) -> None:
        """Change settings."""
        response = self.ask(self.update(**values))
        self.assertEqual((response.status, response.remark), (0, None))

    def shown(self) -> dict[str, str]:
        """Return the settings as tools are shown them."""
        response = self.ask(GetBrokerConfig())
        self.version = json.loads(response.version)
        return decode_properties(response.body)


class LiveSettingsTests(LiveCase):
    """Those of a running broker."""

    def test_shown(self) -> None:
        """The new values are shown, under another version; the others stay."""
        before, version = self.shown(), self.shown() and self.version
        self.change(maxTopics="7", fileReservedTime="48")
        after = self.shown()
        self.assertEqual((after["maxTopics"], after["fileReservedTime"]), ("7", "48"))
        changed = {key for key in before if before[key] != after[key]}
        self.assertEqual(changed, {"maxTopics", "fileReservedTime"})
        self.assertGreater(self.version["counter"], version["counter"])

    def test_restart(self) -> None:
        """They last until the broker stops, as its file is not written."""
        self.change(maxTopics="7")
        self.restart()
        self.assertNotEqual(self.shown()["maxTopics"], "7")

    def test_all_or_none(self) -> None:
        """One that cannot be changed, or not so, lets the others be as they were."""
        self.refused(
            16,
            "brokerName cannot be changed while the broker runs",
            self.update(brokerName="b", maxTopics="7"),
        )
        self.refused(
            16,
            "there is no setting no.such; brokerName cannot be changed",
            self.update(**{"no.such": "1", "maxTopics": "7", "brokerName": "b"}),
        )
        self.refused(16, "no setting is named. Nothing is changed", self.update())
        many = {f"no{number}": "1" for number in range(15)}
        self.refused(16, "no4 and 5 more. Nothing is", self.update(**many))
        self.refused(
            1, 'maxTopics is "0"', self.update(maxTopics="0", maxQueues="100000")
        )
        self.refused(1, "deleteWhen", self.update(deleteWhen="25"))
        self.assertEqual(self.shown(), self.shown() | to_values(self.broker.config))

    def test_every_one(self) -> None:
        """Each has an effect on some part, with the value that it has already."""
        values = to_values(self.broker.live.config)
        for key in self.broker.live.keys:
            self.change(**{key: values[key]})
        self.assertEqual(self.broker.live.config, self.broker.config)

    def test_limits(self) -> None:
        """Tables take no more than the new number."""
        self.change(maxTopics=str(len(self.tables.topics.table)))
        self.refused(2, "maxTopics", sent("New"))
        self.change(maxTopics="100000")
        self.assertEqual(self.ask(sent("New")).status, 0)
        self.change(maxSubscriptionGroups=str(len(self.tables.groups.table)))
        self.refused(26, "maxSubscriptionGroups", pulled("New"))

    def test_new_topics(self) -> None:
        """Sends create topics only while that is allowed."""
        self.change(autoCreateTopicEnable="false")
        self.refused(17, "New", sent("New"))
        self.change(autoCreateTopicEnable="true")
        self.assertEqual(self.ask(sent("New")).status, 0)

    def test_new_groups(self) -> None:
        """So do requests that name a group."""
        self.topic()
        self.change(autoCreateSubscriptionGroup="false")
        self.refused(26, GROUP, pulled())
        self.change(autoCreateSubscriptionGroup="true")
        self.assertNotEqual(self.ask(pulled()).status, 26)


class PermissionTests(LiveCase):
    """The broker's permission, which name servers know."""

    def setUp(self) -> None:
        """Make a topic that is consumed in order, and one that is not."""
        super().setUp()
        self.topic()
        self.tables.topics.put(TopicConfig("Ordered", 1, 1, order=True))
        self.ask(sent("Ordered"))

    def test_no_writes(self) -> None:
        """Sends to ordered topics and what is sent back are refused, as by Apache."""
        version = self.tables.topics.data_version
        self.change(brokerPermission="4")
        self.assertGreater(self.tables.topics.data_version.counter, version.counter)
        self.refused(16, "permission lacks write", sent("Ordered"))
        self.refused(16, "permission lacks write", SendBack(0, GROUP, 0))
        self.refused(14, "not available", RecallMessage(TOPIC, "handle"))
        self.assertEqual(self.ask(sent()).status, 0)
        self.change(brokerPermission="6")
        self.assertEqual(self.ask(sent("Ordered")).status, 0)

    def test_no_reads(self) -> None:
        """Pulls are refused."""
        self.ask(sent())
        self.change(brokerPermission="2")
        self.refused(16, "not readable", pulled())
        self.change(brokerPermission="6")
        self.assertEqual(self.ask(pulled()).status, 0)

    def test_not_one(self) -> None:
        """It is three bits."""
        self.refused(1, "brokerPermission", self.update(brokerPermission="8"))


class PermissionRouteTests(SynchronousTestCase):
    """Clients learn it from the name servers."""

    def test_route(self) -> None:
        """The tool has its response when the route has no right to write any more."""
        cluster = MemoryCluster(brokers=1).start()
        self.addCleanup(cluster.stop)
        broker = cluster.brokers["broker-a"]
        topic = CreateTopic(
            topic="T",
            default_topic="TBW102",
            read_queue_nums=4,
            write_queue_nums=4,
            perm=6,
            topic_filter_type="SINGLE_TAG",
        )
        cluster.call(broker, topic)
        change = UpdateBrokerConfig(body=b"brokerPermission=4")
        cluster.call(broker, change)
        route = cluster.result_of(cluster.client().route("T"))
        self.assertEqual((route.writable("T"), len(route.readable("T"))), ([], 4))


class CreationTests(LiveCase):
    """A broker that was started without creation of topics."""

    settings = {"auto_create_topic_enable": False}

    def test_allowed(self) -> None:
        """The default topic is made, whose permissions others inherit."""
        self.refused(17, "New", sent("New"))
        self.change(autoCreateTopicEnable="true")
        self.assertEqual(self.ask(sent("New")).status, 0)
        self.assertEqual(self.tables.topics.require("New").write_queue_nums, 4)


class FileTests(LiveCase):
    """A broker with small files, which are all old."""

    settings: dict[str, Any] = {
        "mapped_file_size_commit_log": 4096,
        "file_reserved_time": 100_000_000,
        "delete_when": "23",
    }

    def test_deleted(self) -> None:
        """Files go once they need not be kept, at the hour that is due now."""
        for _ in range(12):
            self.ask(sent(body=b"x" * 1000))
        self.clock.pump([10.0] * 12)
        log = os.path.join(self.root, "commitlog")
        before = os.listdir(log)
        for path in self.files():
            os.utime(path, (1, 1))
        self.change(fileReservedTime="1", deleteWhen=";".join(map(str, range(24))))
        self.clock.pump([10.0] + [0.2] * 50)
        self.assertLess(len(os.listdir(log)), len(before))
