"""Tests of rocketmq_tw.broker.assignment.processor."""

from __future__ import annotations

import json
from typing import Any

from rocketmq_tw.wire.requests.assignment import (
    QueryAssignment,
    SetMessageRequestMode,
)
from rocketmq_tw.wire.requests.replication import GetAllRequestModes
from tests.broker.cases import GROUP, TOPIC, BrokerCase


def asked(**fields: Any) -> QueryAssignment:
    """Make a question as Java's clients make it."""
    values = {
        "clientId": "10.0.0.9@1",
        "consumerGroup": GROUP,
        "messageModel": "CLUSTERING",
        "strategyName": "AVG",
        "topic": TOPIC,
    }
    return QueryAssignment(body=json.dumps(values | fields).encode())


def mode_set(topic: str = TOPIC, group: str = GROUP) -> SetMessageRequestMode:
    """Make an administrator's request to pop."""
    values = {
        "consumerGroup": group,
        "mode": "POP",
        "popShareQueueNum": 0,
        "topic": topic,
    }
    return SetMessageRequestMode(body=json.dumps(values).encode())


class AssignmentTests(BrokerCase):
    """What members are assigned, of a topic of four queues."""

    def setUp(self) -> None:
        """Have a member."""
        super().setUp()
        self.topic()
        self.subscribe()
        (self.client_id,) = self.tables.clients.client_ids(GROUP)

    def assigned(self, **fields: Any) -> Any:
        """Return the assignments; None if the client is to keep what it has."""
        response = self.successResultOf(
            self.ask(asked(**{"clientId": self.client_id, **fields}))
        )
        self.assertEqual((response.status, response.remark), (0, None))
        found = json.loads(response.body)
        if not found:
            return None
        return [
            (each["mode"], each["messageQueue"]["queueId"])
            for each in found["messageQueueAssignments"]
        ]

    def test_pulled(self) -> None:
        """By default a member pulls its share."""
        expected = [("PULL", each) for each in range(4)]
        self.assertEqual(self.assigned(), expected)
        self.assertEqual(self.assigned(messageModel="BROADCASTING"), expected)

    def test_popped(self) -> None:
        """A group that is set to pop pops from all queues; its retry topic pulls."""
        self.assertEqual(self.ask(mode_set()).status, 0)
        self.assertEqual(self.assigned(), [("POP", -1)])
        self.tables.topics.create_retry(GROUP)
        self.assertEqual(self.assigned(topic=f"%RETRY%{GROUP}"), [("PULL", 0)])
        self.restart()
        self.subscribe()
        self.assertEqual(self.assigned(), [("POP", -1)])
        modes = json.loads(self.ask(GetAllRequestModes()).body)
        self.assertEqual(list(modes["messageRequestModeMap"][TOPIC]), [GROUP])

    def test_nothing_to_say(self) -> None:
        """Without route, members or strategy clients keep what they have."""
        self.assertIsNone(self.assigned(topic="Unknown"))
        self.assertIsNone(self.assigned(consumerGroup="Nobody"))
        self.assertIsNone(self.assigned(strategyName="MACHINE_ROOM"))

    def test_not_a_member(self) -> None:
        """Whoever is no member has no queues."""
        self.assertEqual(self.assigned(clientId="stranger"), [])

    def test_refused(self) -> None:
        """Modes of retry topics, unknown topics and groups; a body without model."""
        for code, words, request in (
            (16, "retry topic", mode_set(f"%RETRY%{GROUP}")),
            (17, "not exist", mode_set("Unknown")),
            (26, "does not exist", mode_set(group="no group")),
            (1, "messageModel", asked(messageModel=None)),
        ):
            self.refused(code, words, request)


class DefaultTests(BrokerCase):
    """Where groups pop unless something else was set."""

    settings = {"default_message_request_mode": "POP"}

    def test_default(self) -> None:
        """Any topic is popped."""
        self.topic()
        self.subscribe()
        (client_id,) = self.tables.clients.client_ids(GROUP)
        response = self.successResultOf(self.ask(asked(clientId=client_id)))
        self.assertIn(b'"mode":"POP"', response.body)
