"""Tests of what tools are shown of connected clients."""

from __future__ import annotations

import json

from rocketmq_tw.broker.processors.admin.connections import AT_ONCE
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.requests.heartbeat import (
    GetConsumerConnections,
    GetProducerConnections,
)
from tests.broker.cases import BrokerCase, Peer
from tests.broker.doubles import client_of
from tests.broker.processors.test_heartbeat import heartbeat


class ConnectionsTests(BrokerCase):
    """Groups of one client, and of many."""

    def test_consumer_connections(self) -> None:
        """Tools see who consumes, how, and what."""
        request = GetConsumerConnections("CG")
        self.refused(206, "", request)
        self.ask(heartbeat())
        response = self.ask(request)
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
        self.refused(1, "", request)
        self.ask(heartbeat())
        response = self.ask(request)
        (connection,) = json.loads(response.body)["connectionSet"]
        self.assertEqual(connection["clientId"], "10.0.0.9@1")

    def test_many(self) -> None:
        """A reactor iteration encodes some of them; nothing is missing at the end."""
        count = 12 * AT_ONCE
        topics = [Subscription(f"T{number}") for number in range(AT_ONCE + 1)]
        for number in range(count):
            self.tables.clients.register_consumer(
                "CG",
                client_of(Peer(), client_id=f"c{number}"),
                consume_type=None,
                message_model=None,
                consume_from=None,
                subscriptions=topics if number == count - 1 else (),
            )
        response = self.ask(GetConsumerConnections("CG"))
        self.assertNoResult(response)
        self.clock.advance(0)
        shown = ConsumerConnection.decode(self.successResultOf(response).body)
        self.assertEqual(
            [each.client_id for each in shown.connection_set],
            [f"c{number}" for number in range(count)],
        )
        self.assertEqual(list(shown.subscription_table.values()), topics)
