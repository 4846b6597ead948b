"""Tests of permissions that a request turns out to need while it is handled."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.wire.requests.auth import CreateAcl, CreateUser
from tests.broker.access.cases import ADMIN, CLIENT, OPERATOR, AccessCase, PlainCase
from tests.broker.cases import TOPIC, Peer
from tests.broker.transactions.cases import ended, half


class TransactionMixin:
    """Ends the transaction of a half message without naming its topic."""

    def prepare(self, case: Any, who: Credentials) -> Any:
        """Send a half message as somebody; return it."""
        case.assertEqual(case.status_as(who, half()), 0)
        return case.messages(TRANS_HALF_TOPIC)[0]


class UserTests(TransactionMixin, AccessCase):
    """With users and policies."""

    def setUp(self) -> None:
        """A user may send to another topic only."""
        super().setUp()
        body = b'{"password":"hidden-eve","username":"eve"}'
        self.ask_as(ADMIN, CreateUser(username="eve", body=body))
        body = (
            b'{"policies":[{"entries":[{"actions":["Pub"],"decision":"Allow",'
            b'"resource":"Topic:Other"},{"actions":["Pub"],"decision":"Allow",'
            b'"resource":"Topic:RMQ_SYS_TRANS_HALF_TOPIC"}]}]}'
        )
        self.ask_as(ADMIN, CreateAcl(subject="User:eve", body=body))

    def test_another_topic(self) -> None:
        """Nobody ends a transaction of a topic to which he may not send."""
        eve = Credentials("eve", "hidden-eve")
        message = self.prepare(self, ADMIN)
        for topic in (None, "", TRANS_HALF_TOPIC, TOPIC):
            remark = self.remark_as(eve, ended(message, topic=topic))
            self.assertIn(f"Topic:{TOPIC}", remark)
        self.assertEqual(int(self.ask_as(eve, ended(message, topic="Other")).status), 1)
        self.assertEqual(self.messages(TOPIC, 2), [])
        self.assertEqual(self.stats.gauges["accessRefused"](), 4)
        self.assertEqual(self.status_as(ADMIN, ended(message)), 0)
        self.assertEqual(len(self.messages(TOPIC, 2)), 1)


class AccountTests(TransactionMixin, PlainCase):
    """With accounts."""

    def test_another_topic(self) -> None:
        """Who may send to the topic may end its transactions, and nobody else."""
        self.write(
            "accounts:\n"
            "- {accessKey: another, secretKey: hidden-3, topicPerms: [Other=PUB]}",
            "acl/more.yml",
        )
        self.clock.advance(2)
        message = self.prepare(self, CLIENT)
        other = Credentials("another", "hidden-3")
        self.assertIn(TOPIC, self.remark_as(other, ended(message)))
        self.assertEqual(self.status_as(CLIENT, ended(message)), 0)

    def test_white_list(self) -> None:
        """What needs no signature needs no permission."""
        message = self.prepare(self, OPERATOR)
        peer = Peer()
        peer.address = "10.0.1.7:4000"
        self.assertEqual(int(self.ask_as(None, ended(message), peer).status), 0)
