"""Tests of administering topics."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.topic import TopicProcessor
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.stats import TopicOffset, TopicStatsTable
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.topic import (
    CreateTopic,
    DeleteTopic,
    GetAllTopicConfig,
    GetBrokerSystemTopics,
    GetTopicConfig,
    GetTopicStats,
)
from tests.broker.doubles import MemoryFile, MemoryQueues, call


class TopicProcessorTests(SynchronousTestCase):
    """Administrators create, change, look at and delete topics."""

    def setUp(self) -> None:
        """Make a processor with the topics of a new broker."""
        clock = Clock()
        self.topics = TopicTable(MemoryFile(), "C", "broker-a", clock=clock)
        self.topics.load()
        self.offsets = ConsumerOffsets(MemoryFile(), clock=clock)
        self.store = MemoryQueues()
        self.registered: Deferred[None] = succeed(None)
        self.processor = TopicProcessor(
            topics=self.topics,
            offsets=self.offsets,
            store=self.store,
            broker_name="broker-a",
            register_topics=lambda: self.registered,
        )

    def create(self, topic: str = "T", **settings: Any) -> Deferred[Response]:
        """Create a topic as ``mqadmin updateTopic`` does."""
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
        return self.processor.create(CreateTopic(topic=topic, **fields), call())

    def test_takes_its_requests(self) -> None:
        """The router knows who handles the six codes."""
        router = Router()
        self.processor.routes(router)
        for code in (17, 215, 21, 351, 202, 305):
            self.assertIsNotNone(router.find(code), code)

    def test_answers_once_name_servers_know(self) -> None:
        """Who made a topic may ask a name server for its route right then."""
        self.registered = Deferred()
        response = self.create()
        self.assertIsNotNone(self.topics.get("T"))
        self.assertNoResult(response)
        self.registered.callback(None)
        self.assertEqual(self.successResultOf(response), Response())

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
            error = self.assertRaises(Refused, self.create, **settings)
            self.assertEqual(error.code, 29, settings)
        self.assertIsNone(self.topics.get("T"))

    def test_refuses_illegal_and_system_names(self) -> None:
        """Neither can be created or deleted."""
        for name in ("a/b", ""):
            self.assertRaises(IllegalTopic, self.create, name)
        for name in ("TBW102", "broker-a", "rmq_sys_x"):
            self.assertEqual(self.assertRaises(Refused, self.create, name).code, 29)
            error = self.assertRaises(
                Refused, self.processor.delete, DeleteTopic(name), call()
            )
            self.assertEqual(error.code, 29)

    def test_deletes_all_of_a_topic(self) -> None:
        """Settings, offsets and queues go; a topic that is not here is no error."""
        self.create()
        self.offsets.commit("CG", "T", 0, 1)
        for _ in range(2):
            self.processor.delete(DeleteTopic("T"), call())
        self.assertIsNone(self.topics.get("T"))
        self.assertEqual(self.offsets.table, {})
        self.assertEqual(self.store.deleted, ["T", "T"])

    def test_all_topics(self) -> None:
        """The whole table with its version, as a registration has it."""
        response = self.processor.all(GetAllTopicConfig(), call())
        shown = json.loads(response.body)
        self.assertEqual(set(shown["topicConfigTable"]), set(self.topics.table))
        self.assertEqual(shown["dataVersion"]["counter"], 1)

    def test_one_topic(self) -> None:
        """Its settings, or 17."""
        request = GetTopicConfig("T")
        error = self.assertRaises(Refused, self.processor.get, request, call())
        self.assertEqual(error.code, 17)
        self.create()
        shown = json.loads(self.processor.get(request, call()).body)
        self.assertEqual((shown["topicName"], shown["readQueueNums"]), ("T", 4))

    def test_stats_list_all_queues(self) -> None:
        """Queues to read and to write are listed, with their ends and last times."""
        self.create(read_queue_nums=1, write_queue_nums=2)
        self.store.queues["T", 0] = (10, [100, 200])
        response = self.processor.stats(GetTopicStats("T"), call())
        assert isinstance(response, Response)
        self.assertEqual(
            TopicStatsTable.decode(response.body).offset_table,
            {
                MessageQueue("T", "broker-a", 0): TopicOffset(10, 12, 200),
                MessageQueue("T", "broker-a", 1): TopicOffset(0, 0, 0),
            },
        )

    def test_stats_of_unknown_topic(self) -> None:
        """A topic that is not here is answered with 17."""
        error = self.assertRaises(
            Refused, self.processor.stats, GetTopicStats("T"), call()
        )
        self.assertEqual(error.code, 17)

    def test_system_topics(self) -> None:
        """The system's own topics are named."""
        response = self.processor.system_topics(GetBrokerSystemTopics(), call())
        names = json.loads(response.body)["topicList"]
        self.assertIn("broker-a", names)
        self.assertIn("TBW102", names)
