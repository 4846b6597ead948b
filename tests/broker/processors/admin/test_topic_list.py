"""Tests of lists of topics."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.wire.requests.topic import CreateTopics, GetTopicConfig
from tests.broker.cases import BrokerCase


def topic(name: str, **fields: Any) -> dict[str, Any]:
    """Make an entry as tools write it."""
    values = {"readQueueNums": 2, "writeQueueNums": 3, "perm": 6, "order": False}
    return {"topicName": name, "topicFilterType": "SINGLE_TAG", **values, **fields}


class TopicListProcessorTests(BrokerCase):
    """Many topics are created with one request."""

    def create(self, *entries: dict[str, Any]) -> Any:
        """Ask for topics."""
        body = json.dumps({"topicConfigList": entries}).encode()
        response = self.ask(CreateTopics(body=body))
        if isinstance(response, Deferred):
            self.clock.pump([0.01] * 20)
            response = self.successResultOf(response)
        return response

    def names(self) -> set[str]:
        """Return the topics of clients."""
        topics = self.tables.topics
        return {name for name in topics.table if not topics.is_system(name)}

    def test_created(self) -> None:
        """All of them, with what they are to have."""
        attributes = {"+message.type": "FIFO"}
        response = self.create(topic("A"), topic("B", attributes=attributes))
        self.assertEqual((response.status, response.remark), (0, None))
        self.assertEqual(self.names(), {"A", "B"})
        found = json.loads(self.ask(GetTopicConfig("B")).body)
        self.assertEqual(found["writeQueueNums"], 3)
        self.assertEqual(found["attributes"], {"message.type": "FIFO"})

    def test_changed(self) -> None:
        """Attributes that are not named stay; those with a minus go."""
        self.create(topic("A", attributes={"message.type": "FIFO"}))
        self.create(topic("A", perm=4))
        config = self.tables.topics.require("A")
        self.assertEqual((config.perm, len(config.attributes)), (4, 1))
        self.create(topic("A", attributes={"-message.type": ""}))
        self.assertEqual(self.tables.topics.require("A").attributes, {})

    def test_many(self) -> None:
        """They are created in steps."""
        response = self.create(*(topic(f"T{number}") for number in range(200)))
        self.assertEqual(response.status, 0)
        self.assertEqual(len(self.names()), 200)

    def test_none(self) -> None:
        """An empty list changes nothing."""
        self.assertEqual(self.create().status, 0)
        self.assertEqual(self.names(), set())

    def test_all_or_none(self) -> None:
        """The remark names the one that cannot be; nothing is created."""
        for bad, words in (
            (topic("bad/name"), "illegal characters"),
            (topic("TBW102"), "conflict with system topic"),
            (topic("C", readQueueNums=-1), "the topic [C]: the field readQueueNums"),
            (
                topic("C", attributes={"+no.such": "1"}),
                "the topic [C]: unsupported key: no.such",
            ),
            (topic("C", perm=99), "perm"),
        ):
            response = self.create(topic("Good"), bad)
            self.assertNotEqual(response.status, 0)
            self.assertIn(words, response.remark)
            self.assertEqual(self.names(), set())
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_no_list(self) -> None:
        """What is no list of topics is refused."""
        for body in (b"", b"[]", b'{"topicConfigList":[{}]}', b'{"topicConfigList":7}'):
            response = self.ask(CreateTopics(body=body))
            if isinstance(response, Deferred):
                self.clock.pump([0.01] * 20)
                response = self.successResultOf(response)
            self.assertNotEqual((response.status, response.remark), (0, None), body)
            self.assertEqual(self.names(), set())


class LimitTests(BrokerCase):
    """There may be only so many topics."""

    def test_limit(self) -> None:
        """What the table refuses is refused here."""
        self.tables.topics.limit = len(self.tables.topics.table) + 1
        entries = [topic("A"), topic("B")]
        body = json.dumps({"topicConfigList": entries}).encode()
        response = self.ask(CreateTopics(body=body))
        if isinstance(response, Deferred):
            self.clock.pump([0.01] * 20)
            response = self.successResultOf(response)
        self.assertIn("maxTopics", response.remark)
