"""Tests of administering topics."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.broker.processors.admin.slices import QUEUES
from rocketmq_tw.broker.processors.admin.topic_pages import SLICE
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.pacing import STEPS
from rocketmq_tw.wire.bodies.stats import TopicOffset, TopicStatsTable
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.topic import (
    CreateTopic,
    DeleteTopic,
    DeleteTopics,
    GetAllTopicConfig,
    GetBrokerSystemTopics,
    GetTopicConfig,
    GetTopicStats,
)
from tests.broker.cases import BrokerCase, sent
from tests.store.cases import NOW


def create(topic: str = "T", **settings: Any) -> CreateTopic:
    """Make the request of ``mqadmin updateTopic``."""
    fields: dict[str, Any] = {
        "default_topic": "TBW102",
        "read_queue_nums": 4,
        "write_queue_nums": 4,
        "perm": 6,
        "topic_filter_type": "SINGLE_TAG",
        "topic_sys_flag": 0,
        "order": False,
        **settings,
    }
    return CreateTopic(topic=topic, **fields)


class RegisteredTests(BrokerCase):
    """A topic that is made while there is a name server."""

    name_servers = ("10.0.0.5:9876",)

    def setUp(self) -> None:
        """Start the name server, and then the broker."""
        super().setUp()
        self.routes = NamesrvService(NamesrvConfig(), self.network.reactor("10.0.0.5"))
        self.routes.startService()
        self.addCleanup(self.routes.stopService)
        self.clock.pump([1.0] * 31)

    def test_responds_once_name_servers_know(self) -> None:
        """Who made a topic may ask a name server for its route right then."""
        response = self.ask(create())
        self.assertIsNotNone(self.tables.topics.get("T"))
        self.assertNoResult(response)
        self.clock.pump([0.0] * 20)
        self.assertEqual(self.successResultOf(response), Response())


class LimitTests(BrokerCase):
    """A broker that may have one topic more than those of every broker."""

    settings = {"max_topics": 14}

    def test_limit(self) -> None:
        """No topic above ``maxTopics`` is created; those that exist can be changed."""
        self.assertEqual(self.ask(create()), Response())
        topics = self.tables.topics
        for request in (create("New"), sent("New"), sent("%RETRY%New")):
            self.refused(2, "maxTopics (14) is reached", request)
        self.assertEqual(len(topics.table), 14)
        self.assertEqual(self.ask(create(perm=4)), Response())
        gauges = self.stats.gauges
        self.assertEqual(gauges["topics"](), 14)
        self.assertEqual(gauges["topicsRefused"](), 3)

    def test_restart(self) -> None:
        """Topics with messages come back after a crash, also above the limit."""
        self.ask(sent("T"))
        self.assertEqual(self.tables.topics.restore({"Other": [0]}), ["Other"])

    def test_not_logged(self) -> None:
        """The log names no topic as created that is refused."""
        self.ask(create())
        with capturedLogs() as events:
            self.refused(2, "maxTopics (14) is reached", sent("new"))
        lines = [formatEvent(event) or "" for event in events]
        self.assertFalse([line for line in lines if "created" in line])


class QueueLimitTests(BrokerCase):
    """A broker that may have four queues more than those of every broker."""

    #: 1,082 queues of the topics of every broker, and four.
    settings = {"max_queues": 1086}

    def test_limit(self) -> None:
        """No topic is created or enlarged above ``maxQueues``, however it is asked."""
        queues = self.tables.topics.queues
        self.assertEqual(queues.total, 1082)
        self.assertEqual(self.ask(create()), Response())
        said = "maxQueues (1086) is reached"
        enlarged = create(read_queue_nums=5)
        for request in (create("New"), sent("New"), sent("%RETRY%New"), enlarged):
            self.refused(2, said, request)
        gauges = self.stats.gauges
        self.assertEqual((gauges["queues"](), gauges["queuesRefused"]()), (1086, 4))

    def test_fewer_queues_and_none(self) -> None:
        """A topic keeps what it had until it is deleted."""
        self.ask(create())
        self.ask(create(read_queue_nums=1, write_queue_nums=1))
        self.refused(2, "maxQueues", create("New"))
        self.ask(DeleteTopic("T"))
        self.assertEqual(self.ask(create("New")), Response())

    def test_restart(self) -> None:
        """Queues that the store has count, also of topics that shrank."""
        self.ask(create(read_queue_nums=1, write_queue_nums=1))
        self.assertEqual(self.tables.topics.restore({"T": [0, 1, 6]}), [])
        self.assertEqual(self.tables.topics.queues.total, 1085)


class TopicProcessorTests(BrokerCase):
    """Administrators create, change, look at and delete topics."""

    def setUp(self) -> None:
        """Start a broker with the topics of a new one."""
        super().setUp()
        self.topics = self.tables.topics

    def create(self, topic: str = "T", **settings: Any) -> None:
        """Create a topic; no name server need know it."""
        self.assertEqual(self.ask(create(topic, **settings)), Response())

    def test_creates_and_changes(self) -> None:
        """The topic is as asked for; the same again changes nothing."""
        self.create()
        self.assertEqual(self.topics.get("T"), TopicConfig("T", 4, 4, 6))
        version = self.topics.data_version
        self.create()
        self.assertEqual(self.topics.data_version, version)
        self.create(perm=4, order=True, attributes="+message.type=FIFO")
        self.assertEqual(
            self.topics.get("T"),
            TopicConfig("T", 4, 4, 4, order=True, attributes={"message.type": "FIFO"}),
        )

    def test_keeps_attributes_that_are_not_named(self) -> None:
        """Changing the permission of a topic leaves its attributes."""
        self.create(attributes="+message.type=FIFO")
        self.create(perm=4)
        self.assertEqual(self.topics.require("T").attributes, {"message.type": "FIFO"})

    def test_refuses_nonsense(self) -> None:
        """Settings that make no sense are refused with 29, and what was expected."""
        for settings in (
            {"read_queue_nums": -1},
            {"write_queue_nums": 65_536},
            {"perm": 16},
            {"topic_filter_type": "ALL_TAGS"},
            {"attributes": "+message.type=RED"},
        ):
            self.refused(29, "", create(**settings))
        self.assertIsNone(self.topics.get("T"))

    def test_refuses_illegal_and_system_names(self) -> None:
        """Neither can be created or deleted."""
        for name in ("a/b", ""):
            self.refused(29, "", create(name))
        for name in ("TBW102", "broker-a", "rmq_sys_x"):
            self.refused(29, name, create(name))
            self.refused(29, name, DeleteTopic(name))

    def test_deletes_all_of_a_topic(self) -> None:
        """Settings, offsets and queues go; a topic that is not here is no error."""
        self.create()
        self.ask(sent("T"))
        self.tables.offsets.commit("CG", "T", 0, 1)
        for _ in range(2):
            deleted = self.ask(DeleteTopic("T"))
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(deleted).status, 0)
        self.assertIsNone(self.topics.get("T"))
        self.assertEqual(self.tables.offsets.table, {})
        self.assertEqual(self.store.queues(), {})

    def test_deletes_many(self) -> None:
        """All of a list with their queues and offsets, and what is popped again."""
        for name in ("A", "B", "C"):
            self.ask(sent(name))
            self.tables.offsets.commit("G", name, 0, 1)
        self.topics.put(TopicConfig("%RETRY%G+A", 1, 1))
        deleted = self.ask(DeleteTopics(body=b'{"topicList":["A","B","A","none"]}'))
        self.clock.pump([0.0] * 20)
        self.assertEqual(self.successResultOf(maybeDeferred(lambda: deleted)).status, 0)
        made = {"A", "B", "C", "%RETRY%G+A"}
        self.assertEqual(made & self.topics.table.keys(), {"C"})
        self.assertEqual(list(self.tables.offsets.table), [("C", "G")])
        self.assertEqual(list(self.store.queues()), ["C"])

    def test_deletes_none_of_many(self) -> None:
        """If one may not be deleted all stay."""
        self.create("A")
        for body, why in (
            (b'{"topicList":["A","TBW102"]}', "conflict with system topic"),
            (b'{"topicList":["A",""]}', "topic"),
            (b'{"topicList":["A","a/b"]}', "a/b"),
            (b'{"topicList":[]}', "list is blank"),
            (b"{}", "list is blank"),
        ):
            self.refused(29, why, DeleteTopics(body=body))
        self.refused(1, "topicList", DeleteTopics(body=b'{"topicList":7}'))
        self.assertIn("A", self.topics.table)

    def test_deletes_what_is_popped_again(self) -> None:
        """So do the retry topics of groups that pop it, but not those of others."""
        self.create()
        own = "%RETRY%G_T", "%RETRY%G+T"
        kept = "%RETRY%G", "%RETRY%H_T", "%RETRY%G_U", "%RETRY%other_T"
        for name in (*own, *kept):
            self.topics.put(TopicConfig(name))
            self.tables.offsets.commit("G", name, 0, 1)
        for group in ("G", "H"):
            self.tables.offsets.commit(group, "T", 0, 1)
        self.tables.groups.put(SubscriptionGroup("H_T"))
        deleted = self.ask(DeleteTopic("T"))
        self.clock.pump([0] * 5)
        self.assertEqual(self.successResultOf(deleted).status, 0)
        self.assertEqual(set(self.topics.table).intersection(own), set())
        self.assertEqual(set(self.topics.table).intersection(kept), set(kept))
        known = {topic for topic, _ in self.tables.offsets.table}
        self.assertEqual(known, set(kept))

    def test_all_topics(self) -> None:
        """The whole table with its version, as a registration has it."""
        shown = json.loads(self.ask(GetAllTopicConfig()).body)
        self.assertEqual(set(shown["topicConfigTable"]), set(self.topics.table))
        self.assertEqual(shown["dataVersion"]["counter"], 1)

    def test_many_topics(self) -> None:
        """They are encoded in several reactor iterations, as they were when asked."""
        for number in range(20 * SLICE):
            name = f"topic-{number}"
            self.topics.table[name] = TopicConfig(name)
        names = set(self.topics.table)
        response = self.ask(GetAllTopicConfig())
        self.assertNoResult(response)
        self.topics.delete(name)
        self.clock.pump([0] * 3)
        shown = json.loads(self.successResultOf(response).body)
        self.assertEqual(set(shown["topicConfigTable"]), names)

    def test_one_topic(self) -> None:
        """Its settings, or 17."""
        request = GetTopicConfig("T")
        self.refused(17, "T", request)
        self.create()
        shown = json.loads(self.ask(request).body)
        self.assertEqual((shown["topicName"], shown["readQueueNums"]), ("T", 4))

    def test_stats_list_all_queues(self) -> None:
        """Queues to read and to write are listed, with their ends and last times."""
        self.create(read_queue_nums=1, write_queue_nums=2)
        self.ask(sent("T"))
        self.clock.advance(0.5)
        self.ask(sent("T"))
        response = self.successResultOf(maybeDeferred(self.ask, GetTopicStats("T")))
        self.assertEqual(
            TopicStatsTable.decode(response.body).offset_table,
            {
                MessageQueue("T", "broker-a", 0): TopicOffset(
                    0, 2, int(NOW * 1000) + 500
                ),
                MessageQueue("T", "broker-a", 1): TopicOffset(0, 0, 0),
            },
        )

    def test_stats_of_many_queues(self) -> None:
        """They are gone through in slices; the response is the same."""
        count = STEPS * QUEUES + 1
        self.create(read_queue_nums=count, write_queue_nums=1)
        self.ask(sent("T"))
        response = self.ask(GetTopicStats("T"))
        self.assertNoResult(response)
        self.clock.advance(0)
        body = self.successResultOf(response).body
        table = TopicStatsTable.decode(body).offset_table
        self.assertEqual({queue.queue_id for queue in table}, set(range(count)))
        first = TopicOffset(0, 1, int(NOW * 1000))
        self.assertEqual(table[MessageQueue("T", "broker-a", 0)], first)

    def test_put_rate(self) -> None:
        """The messages of the last minute, per second; the same in all slices."""
        self.topic("T", queues=2 * QUEUES + 1)
        for _ in range(6):
            self.ask(sent("T"))
        self.clock.pump([10.0, 2.0])
        asked = maybeDeferred(self.ask, GetTopicStats("T"))
        self.clock.pump([0.001] * 20)
        table = TopicStatsTable.decode(self.successResultOf(asked).body)
        self.assertEqual(table.topic_put_tps, 0.5)
        self.assertEqual(len(table.offset_table), 2 * QUEUES + 1)

    def test_stats_of_unknown_topic(self) -> None:
        """A topic that is not here gets code 17."""
        self.refused(17, "T", GetTopicStats("T"))

    def test_system_topics(self) -> None:
        """The system's own topics are named."""
        response = self.ask(GetBrokerSystemTopics())
        names = json.loads(response.body)["topicList"]
        self.assertIn("broker-a", names)
        self.assertIn("TBW102", names)
