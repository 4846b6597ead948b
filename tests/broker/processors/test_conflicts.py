"""Tests of rocketmq_tw.broker.processors.conflicts."""

from __future__ import annotations

import json
from typing import Any

from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from rocketmq_tw.broker.config import SubscriptionConflict
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections, Heartbeat
from tests.broker.cases import BrokerCase, Peer


def heartbeat(client_id: str, *tags: str) -> Heartbeat:
    """Make the heartbeat of a consumer that subscribes to some tags."""
    subscription = {"topic": "T", "subString": "||".join(tags), "tagsSet": tags}
    consumer = {"groupName": "G", "subscriptionDataSet": [subscription]}
    body = {"clientID": client_id, "consumerDataSet": [consumer]}
    return Heartbeat(body=json.dumps(body).encode())


class ConflictCase(BrokerCase):
    """Members of one group, each with a connection of its own."""

    def setUp(self) -> None:
        """Let two members agree."""
        super().setUp()
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.peers = {client_id: Peer() for client_id in "abc"}
        self.beat("a", "A", "B")
        self.beat("b", "B", "A")

    def beat(self, client_id: str, *tags: str) -> Any:
        """Send a heartbeat over the connection of a client."""
        self.peer = self.peers[client_id]
        return self.ask(heartbeat(client_id, *tags))

    def logged(self) -> list[str]:
        """Return the lines about conflicts."""
        lines = [formatEvent(event) or "" for event in self.events]
        return [line for line in lines if "subscription conflict" in line]

    def named(self) -> Any:
        """Return the clients that the connection info of the group names."""
        body = self.ask(GetConsumerConnections("G")).body
        return json.loads(body).get("subscriptionConflicts")

    def member_ids(self) -> list[str]:
        """Return the members of the group."""
        return self.tables.clients.client_ids("G")


class WarnTests(ConflictCase):
    """Without a setting conflicts are named, and change nothing."""

    def test_agreed(self) -> None:
        """Nothing is said of members that agree, and nothing shown."""
        self.assertEqual((self.logged(), self.named()), ([], None))

    def test_conflict(self) -> None:
        """The log names both sides; the connection info names the odd one."""
        self.assertEqual(self.beat("c", "C").status, 0)
        (line,) = self.logged()
        self.assertIn("in the group G: c (", line)
        self.assertIn("what a (", line)
        self.assertEqual(self.named(), ["c"])
        self.assertEqual(self.member_ids(), ["a", "b", "c"])

    def test_resolved(self) -> None:
        """Once the odd one agrees or leaves, nothing is shown."""
        self.beat("c", "C")
        self.beat("c", "A", "B")
        self.assertIsNone(self.named())
        self.beat("c", "C")
        self.tables.clients.connection_lost(self.peers["c"])
        self.assertIsNone(self.named())

    def test_seldom_logged(self) -> None:
        """The log has one line for each host and minute, however many heartbeats."""
        for _ in range(10):
            self.beat("c", "C")
        self.assertEqual(len(self.logged()), 1)

    def test_same_client(self) -> None:
        """A client that has connected again may subscribe to something else."""
        self.tables.clients.connection_lost(self.peers["b"])
        self.peer = Peer()
        self.ask(heartbeat("a", "C"))
        self.assertEqual(self.logged(), [])


class RejectTests(ConflictCase):
    """With ``subscriptionConflict=reject`` the odd one does not become a member."""

    settings = {"subscription_conflict": SubscriptionConflict.REJECT}

    def test_refused(self) -> None:
        """The heartbeat is refused, the reason names a member; nothing changes."""
        response = self.beat("c", "C")
        self.assertEqual(response.status, 29)
        self.assertIn("[G] has a member [a]", response.remark)
        self.assertEqual(len(self.logged()), 1)
        self.assertEqual(self.member_ids(), ["a", "b"])
        subscription = self.tables.clients.subscription("G", "T")
        assert subscription is not None
        self.assertEqual(subscription.tags_set, {"A", "B"})

    def test_changed_by_a_member(self) -> None:
        """Nor may a member change its subscription while others are online."""
        self.assertEqual(self.beat("a", "C").status, 29)
        self.tables.clients.connection_lost(self.peers["b"])
        self.assertEqual(self.beat("a", "C").status, 0)
