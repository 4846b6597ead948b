"""Tests of what tools are shown of connected clients."""

from __future__ import annotations

import json

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.processors.admin.connections import (
    AT_ONCE,
    ConnectionsProcessor,
)
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.bodies.consumers import (
    ConsumerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rocketmq_tw.wire.requests.heartbeat import (
    GetAllProducers,
    GetConsumerConnections,
    GetProducerConnections,
)
from tests.broker.cases import BrokerCase, Peer
from tests.broker.doubles import call_from, client_of
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

    def test_all_producers(self) -> None:
        """Tools see all groups, and when each member was last heard of."""
        self.ask(heartbeat())
        self.clock.advance(3)
        then_ms = int((self.clock.wall_seconds() - 3) * 1000)
        response = self.ask(GetAllProducers())
        (producer,) = ProducerTableInfo.decode(response.body).data["PG"]
        self.assertEqual(
            producer,
            ProducerInfo("10.0.0.9@1", "/10.0.0.9:4000", "JAVA", 479, then_ms),
        )

    def test_too_many_producers(self) -> None:
        """More than fits into a response is refused, and says what to ask instead."""
        clients = self.tables.clients
        processor = ConnectionsProcessor(
            clients=clients, pacer=self.broker.pacer, largest=100
        )
        clients.register_producer("PG", client_of(Peer()))
        call = call_from(self.peer, self.clock.wall_seconds())
        asked = maybeDeferred(processor.all_producers, GetAllProducers(), call)
        refused = self.failureResultOf(asked, Refused).value
        self.assertIn("request 204", refused.remark)

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
