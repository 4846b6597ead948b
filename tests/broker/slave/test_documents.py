"""Tests of the tables that a slave copies."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.logger import capturedLogs

from rocketmq_tw.broker.slave.documents import TableCopies
from rocketmq_tw.broker.slave.sync import COPY_PERIOD
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.requests.group import GetAllGroups, UpdateGroup
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.topic import (
    DeleteTopic,
    GetAllTopicConfig,
    TopicConfigResponse,
)
from tests.broker.slave.cases import PairCase


class DocumentCase(PairCase):
    """Lets a minute pass between a change and the copy."""

    def copy(self) -> None:
        """Wait for the next copy."""
        self.cluster.advance(COPY_PERIOD + 3)

    def commit(
        self, node: Any, offset: int, topic: str = "T", group: str = "G"
    ) -> None:
        """Commit an offset of queue 0."""
        request = UpdateConsumerOffset(group, topic, 0, offset)
        self.cluster.call(node, request)


class TopicTests(DocumentCase):
    """The topics of a slave are those of its master."""

    def cluster_topics(self) -> Any:
        """Return the table of the master."""
        return self.master.service._tables.topics

    def ask(self, request: Any) -> Any:
        """Send a request to the master."""
        return self.cluster._inspect().call(self.master.address, request, 3.0)

    def slave_copies(self) -> TableCopies:
        """Return what copies the tables of the slave."""
        tables = self.slave.service._tables
        return TableCopies(
            topics=tables.topics,
            groups=tables.groups,
            offsets=tables.offsets,
            clock=self.cluster.clock,
        )

    def test_equal(self) -> None:
        """So is their version, from the first copy on and after each change."""
        self.assertEqual(self.topics(self.slave), self.topics(self.master))
        self.cluster.create_topic("T", 3)
        self.copy()
        self.assertEqual(self.topics(self.slave), self.topics(self.master))
        self.assertIn("T", self.topics(self.slave).topic_config_table)

    def test_nothing_changed(self) -> None:
        """Then nothing is written."""
        table = self.slave.service._tables.topics
        version = table.data_version
        changed: list[str] = []
        table.on_change.append(changed.append)
        self.copy()
        self.assertIs(table.data_version, version)
        self.assertEqual(changed, [])

    def test_deleted(self) -> None:
        """Those that the master deletes are gone, with the offsets in them."""
        self.cluster.create_topic("T")
        self.commit(self.master, 7)
        self.copy()
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 7}})
        self.cluster.call(self.master, DeleteTopic("T"))
        self.copy()
        self.assertNotIn("T", self.topics(self.slave).topic_config_table)
        self.assertEqual(self.offsets(self.slave).offset_table, {})

    def test_checked(self) -> None:
        """An entry that no request could have made is left out, and named."""
        table = {
            "good": {"topicName": "good", "readQueueNums": 4, "writeQueueNums": 4},
            "bad/name": {"topicName": "bad/name"},
            "many": {"topicName": "many", "readQueueNums": 1 << 20},
        }
        version = DataVersion(1, 99)
        self.respond(
            GetAllTopicConfig, {"topicConfigTable": table, "dataVersion": version}
        )
        with capturedLogs() as events:
            self.copy()
        self.assertEqual(list(self.topics(self.slave).topic_config_table), ["good"])
        warned = [e for e in events if "are left out" in e["log_format"]]
        self.assertEqual(
            [(e["count"], e["path"]) for e in warned], [(2, "the master's topics")]
        )

    def test_limit(self) -> None:
        """More than maxTopics are not copied."""
        self.slave.service._tables.topics.limit = 3
        before = self.topics(self.slave)
        self.cluster.create_topic("T")
        self.copy()
        self.assertEqual(self.topics(self.slave), before)

    def test_written(self) -> None:
        """A slave that starts again has them, under the version of the master."""
        self.cluster.create_topic("T")
        self.copy()
        table = self.slave.service._tables.topics
        table.save()
        self.cluster.advance(1)
        path = f"{self.slave.directory}/config/topics.json"
        with open(path, "rb") as file:
            text = file.read()
        self.assertIn(b'"T":{', text)
        self.assertIn(b'"counter":%d' % table.data_version.counter, text)
        self.assertEqual(table.data_version, self.topics(self.master).data_version)

    def fill(self, count: int) -> None:
        """Give the master many topics."""
        topics = self.master.service._tables.topics
        config = topics.require("TBW102")
        for number in range(count):
            name = f"topic-{number}"
            topics.put(msgspec.structs.replace(config, topic_name=name))

    def test_many(self) -> None:
        """A large table is copied page by page, and once only."""
        self.fill(4500)
        self.master.traffic.clear()
        self.copy()
        self.assertEqual(self.topics(self.slave), self.topics(self.master))
        asked = self.master.traffic.requests(GetAllTopicConfig)
        pages = [each.topic_seq for each in asked if each.max_topic_num]
        self.assertEqual(pages, [0, 2000, 4000])
        self.copy()
        asked = self.master.traffic.requests(GetAllTopicConfig)
        pages = [each.topic_seq for each in asked if each.max_topic_num]
        self.assertEqual(pages, [0, 2000, 4000, 0])

    def test_changed_meanwhile(self) -> None:
        """If the table changes between two pages, the first one comes again."""
        self.fill(4500)
        self.copy()
        pages = []

        def asked(request: GetAllTopicConfig) -> Any:
            pages.append(request.topic_seq)
            if len(pages) == 2:
                self.cluster_topics().delete("topic-7")
            return self.ask(request)

        self.fill(4600)
        copies = self.slave_copies()
        self.cluster.result_of(copies.copy_topics(asked))
        self.assertEqual(pages, [0, 2000, 2000, 4000])
        self.assertEqual(self.topics(self.slave), self.topics(self.master))

    def test_never_complete(self) -> None:
        """A master that promises more than it has is not believed."""
        before = self.topics(self.slave)
        table = {"T": {"topicName": "T"}}
        body = fastjson.dumps(
            {"topicConfigTable": table, "dataVersion": DataVersion(1, 99)}
        )
        response = TopicConfigResponse(total_topic_num=5, body=body)
        self.master.traffic.respond(GetAllTopicConfig, response)
        empty = fastjson.dumps({"dataVersion": DataVersion(1, 99)})
        response = TopicConfigResponse(total_topic_num=5, body=empty)
        self.master.traffic.respond(GetAllTopicConfig, response)
        self.cluster.advance(COPY_PERIOD + 2)
        self.assertEqual(self.topics(self.slave), before)


class OffsetTests(DocumentCase):
    """The offsets of consumers."""

    def setUp(self) -> None:
        """Create a topic, at both."""
        super().setUp()
        self.cluster.create_topic("T")
        self.copy()

    def test_taken_over(self) -> None:
        """Those of the master count, also where the slave has greater ones."""
        self.commit(self.slave, 9)
        self.commit(self.master, 5)
        self.copy()
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 5}})

    def test_own(self) -> None:
        """What only the slave has, stays."""
        self.commit(self.slave, 9, group="H")
        self.commit(self.master, 5)
        self.copy()
        expected = {"T@G": {0: 5}, "T@H": {0: 9}}
        self.assertEqual(self.offsets(self.slave).offset_table, expected)

    def test_bare_keys(self) -> None:
        """Releases with fastjson 1 write queue ids as bare numbers, 4.9 no version."""
        self.respond(GetAllConsumerOffset, b'{"offsetTable":{"T@G":{0:7,2:1}}}')
        self.copy()
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 7, 2: 1}})

    def test_checked(self) -> None:
        """Entries that no request could have made are left out."""
        table = {"T@G": {0: 7}, "T": {0: 1}, "T@H": {1 << 40: 1}, "a b@G": {0: 1}}
        self.respond(GetAllConsumerOffset, {"offsetTable": table})
        self.copy()
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 7}})

    def test_limit(self) -> None:
        """No more are kept than maxConsumerOffsets; the table stays usable."""
        self.slave.service._tables.offsets.limit = 2
        queues = {queue: 1 for queue in range(5)}
        self.respond(GetAllConsumerOffset, {"offsetTable": {"T@G": queues}})
        with capturedLogs() as events:
            self.copy()
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 1, 1: 1}})
        self.assertIn("could not copy", " ".join(e["log_format"] for e in events))


class GroupTests(DocumentCase):
    """The consumer groups."""

    def put(self, **fields: Any) -> None:
        """Change the group G of the master."""
        group = SubscriptionGroup("G", **fields)
        self.cluster.call(self.master, UpdateGroup(body=fastjson.dumps(group)))

    def test_equal(self) -> None:
        """They are those of the master, with their version."""
        self.put(retry_max_times=3)
        self.copy()
        self.assertEqual(self.groups(self.slave), self.groups(self.master))
        table = self.groups(self.slave).subscription_group_table
        self.assertEqual(table["G"].retry_max_times, 3)
        self.put(retry_max_times=4)
        self.copy()
        self.assertEqual(self.groups(self.slave), self.groups(self.master))

    def test_pages(self) -> None:
        """Many come page by page, over several reactor iterations."""
        groups = self.master.service._tables.groups
        for number in range(4500):
            groups.put(SubscriptionGroup(f"group-{number}"))
        self.master.traffic.clear()
        self.copy()
        self.assertEqual(self.groups(self.slave), self.groups(self.master))
        asked = self.master.traffic.requests(GetAllGroups)
        pages = [each.group_seq for each in asked if each.max_group_num]
        self.assertEqual(pages, [0, 2000, 4000])

    def test_encoded_again(self) -> None:
        """A group that the master has changed is written as it is now."""
        self.put(retry_max_times=3)
        self.copy()
        table = self.slave.service._tables.groups
        table.encode()
        steps = table.encode_in_steps()
        self.put(retry_max_times=4)
        self.copy()
        for text in (all_at_once(steps), table.encode()):
            found = SubscriptionGroupTable.decode(text).subscription_group_table
            self.assertEqual(found["G"].retry_max_times, 4)

    def test_own(self) -> None:
        """One that only the slave has, as a consumer named it there, is dropped."""
        self.slave.service._tables.groups.require("H")
        self.copy()
        table = self.groups(self.slave).subscription_group_table
        self.assertNotIn("H", table)

    def test_checked(self) -> None:
        """An entry that no request could have made is left out."""
        table = {"G": {"groupName": "G"}, "H": {"groupName": "other"}}
        body = {"subscriptionGroupTable": table, "forbiddenTable": {"G": {"T": 4}}}
        self.respond(GetAllGroups, body)
        self.copy()
        groups = self.groups(self.slave)
        self.assertEqual(list(groups.subscription_group_table), ["G"])
        self.assertEqual(groups.forbidden_table, {"G": {"T": 4}})
