"""Tests of heartbeats and of asking who is there."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.heartbeat import HeartbeatProcessor
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.errors import IllegalGroup
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.requests.heartbeat import (
    GetConsumerConnections,
    GetConsumerList,
    GetProducerConnections,
    Heartbeat,
    UnregisterClient,
)
from tests.broker.doubles import MemoryConnection, MemoryFile, call


def heartbeat(group: str = "CG", **consumer: Any) -> Heartbeat:
    """Make the heartbeat of a client that consumes in a group and produces in PG."""
    subscription = {
        "classFilterMode": False,
        "codeSet": [2598919],
        "expressionType": "TAG",
        "subString": "TagA",
        "subVersion": 5,
        "tagsSet": ["TagA"],
        "topic": "TopicTest",
    }
    consumer = {
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
        "consumeType": "CONSUME_PASSIVELY",
        "groupName": group,
        "messageModel": "CLUSTERING",
        "subscriptionDataSet": [subscription],
        "unitMode": False,
        **consumer,
    }
    body = {
        "clientID": "10.0.0.9@1",
        "consumerDataSet": [consumer],
        "producerDataSet": [{"groupName": "PG"}],
    }
    return Heartbeat(body=json.dumps(body).encode())


class HeartbeatProcessorTests(SynchronousTestCase):
    """Clients are in their groups once they said so."""

    def setUp(self) -> None:
        """Make a processor with empty tables."""
        clock = Clock()
        self.clients = ClientTable(lambda group, members: None)
        self.topics = TopicTable(MemoryFile(), "C", "broker-a", clock=clock)
        self.groups = GroupTable(MemoryFile(), clock=clock)
        self.processor = HeartbeatProcessor(
            clients=self.clients, topics=self.topics, groups=self.groups
        )
        self.call = call(MemoryConnection("10.0.0.9:4000"))

    def test_takes_its_requests(self) -> None:
        """The router knows who handles the five codes."""
        router = Router()
        self.processor.routes(router)
        for code in (34, 35, 38, 203, 204):
            self.assertIsNotNone(router.find(code), code)

    def test_heartbeat_notes_all_groups(self) -> None:
        """The client consumes and produces, its group exists, and its retry topic."""
        self.groups.put(SubscriptionGroup("CG", retry_queue_nums=2))
        self.processor.heartbeat(heartbeat(), self.call)
        self.assertEqual(self.clients.client_ids("CG"), ["10.0.0.9@1"])
        self.assertEqual(len(self.clients.producers("PG")), 1)
        retry = self.topics.require("%RETRY%CG")
        self.assertEqual((retry.write_queue_nums, retry.perm), (2, 6))

    def test_illegal_group_notes_nothing(self) -> None:
        """A name that breaks the rules is refused before anything is made."""
        request = heartbeat("bad group")
        self.assertRaises(IllegalGroup, self.processor.heartbeat, request, self.call)
        self.assertEqual(self.clients.producers("PG"), [])
        self.assertEqual(self.topics.table, {})

    def test_group_that_may_not_be_created_is_passed_over(self) -> None:
        """The rest of the heartbeat counts all the same."""
        self.groups = GroupTable(MemoryFile(), clock=Clock(), auto_create=False)
        self.processor = HeartbeatProcessor(
            clients=self.clients, topics=self.topics, groups=self.groups
        )
        self.processor.heartbeat(heartbeat(), self.call)
        self.assertEqual(self.clients.client_ids("CG"), [])
        self.assertEqual(len(self.clients.producers("PG")), 1)

    def test_go_clients_send_nulls(self) -> None:
        """Null for no groups, and hash codes as text, are understood."""
        body = b'{"clientID":"go","consumerDataSet":null,"producerDataSet":null}'
        self.processor.heartbeat(Heartbeat(body=body), self.call)
        request = heartbeat(
            subscriptionDataSet=[
                {"topic": "T", "codeSet": ["2598919"], "tagsSet": None}
            ]
        )
        self.processor.heartbeat(request, self.call)
        found = self.clients.subscription("CG", "T")
        self.assertEqual(found and found.code_set, {2598919})

    def test_consumer_list(self) -> None:
        """Members are listed; a group without any is refused with 1."""
        request = GetConsumerList("CG")
        error = self.assertRaises(
            Refused, self.processor.consumer_list, request, self.call
        )
        self.assertEqual(
            (error.code, error.remark), (1, "no consumer for this group, CG")
        )
        self.processor.heartbeat(heartbeat(), self.call)
        response = self.processor.consumer_list(request, self.call)
        self.assertEqual(response.body, b'{"consumerIdList":["10.0.0.9@1"]}')

    def test_unregister(self) -> None:
        """A client leaves the groups that it names."""
        self.processor.heartbeat(heartbeat(), self.call)
        self.processor.unregister(UnregisterClient("10.0.0.9@1", "PG", "CG"), self.call)
        self.assertEqual(self.clients.client_ids("CG"), [])
        self.assertEqual(self.clients.producers("PG"), [])

    def test_consumer_connections(self) -> None:
        """Tools see who consumes, how, and what."""
        request = GetConsumerConnections("CG")
        error = self.assertRaises(
            Refused, self.processor.consumer_connections, request, self.call
        )
        self.assertEqual(error.code, 206)
        self.processor.heartbeat(heartbeat(), self.call)
        response = self.processor.consumer_connections(request, self.call)
        shown = json.loads(response.body)
        self.assertEqual(
            shown["connectionSet"],
            [
                {
                    "clientAddr": "10.0.0.9:4000",
                    "clientId": "10.0.0.9@1",
                    "language": "JAVA",
                    "version": 479,
                }
            ],
        )
        self.assertEqual(shown["messageModel"], "CLUSTERING")
        self.assertEqual(shown["consumeType"], "CONSUME_PASSIVELY")
        self.assertEqual(shown["consumeFromWhere"], "CONSUME_FROM_LAST_OFFSET")
        self.assertEqual(shown["subscriptionTable"]["TopicTest"]["codeSet"], [2598919])

    def test_producer_connections(self) -> None:
        """Tools see who produces; a group without any is refused with 1."""
        request = GetProducerConnections("PG")
        error = self.assertRaises(
            Refused, self.processor.producer_connections, request, self.call
        )
        self.assertEqual(error.code, 1)
        self.processor.heartbeat(heartbeat(), self.call)
        response = self.processor.producer_connections(request, self.call)
        (connection,) = json.loads(response.body)["connectionSet"]
        self.assertEqual(connection["clientId"], "10.0.0.9@1")
