"""Tests of asking members for their offsets."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.processors.admin.statuses import StatusProcessor
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import Refused, RequestTimeout
from rocketmq_tw.wire.bodies.offsets import GetConsumerStatusBody
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import (
    GetConsumerStatus,
    GetConsumerStatusFromClient,
)
from tests.broker.doubles import RespondingConnection, call_from
from tests.broker.processors.admin.test_relays import RelayCase

QUEUE = MessageQueue("T", "broker-a", 0)
#: As Go's client writes it: its keys have another order.
OF_GO = b'{"messageQueueTable":{{"topic":"T","brokerName":"broker-a","queueId":0}:9}}'


class StatusProcessorTests(RelayCase):
    """Administrators see the offsets that members have."""

    def status(self, client_id: str | None = None) -> Any:
        """Ask for the offsets of the group."""
        return maybeDeferred(self.ask, GetConsumerStatus("T", "G", client_id))

    def respond(self, connection: RespondingConnection, body: bytes) -> None:
        """Let a member respond."""
        connection.response.callback(Response(body=body))

    def table_of(self, asked: Any) -> dict[str, dict[MessageQueue, int]]:
        """Return the table that was responded."""
        self.clock.pump([0.0] * 20)
        body = self.successResultOf(asked).body
        return GetConsumerStatusBody.decode(body).consumer_table

    def test_all_members_are_asked(self) -> None:
        """The table has the offsets of each, whatever its language."""
        java, go = self.join(client_id="java"), self.join(client_id="go")
        asked = self.status()
        request = GetConsumerStatusFromClient("T", "G")
        self.assertEqual(java.asked, [(request, 5.0)])
        self.assertEqual(go.asked, [(request, 5.0)])
        self.respond(java, GetConsumerStatusBody({QUEUE: 7}).encode())
        self.assertNoResult(asked)
        self.respond(go, OF_GO)
        table = self.table_of(asked)
        self.assertEqual(table, {"java": {QUEUE: 7}, "go": {QUEUE: 9}})

    def test_one_member(self) -> None:
        """The others are not asked."""
        one, other = self.join(client_id="one"), self.join(client_id="other")
        asked = self.status("one")
        self.respond(one, OF_GO)
        self.assertEqual(self.table_of(asked), {"one": {QUEUE: 9}})
        self.assertEqual(other.asked, [])
        self.assertEqual(self.table_of(self.status("stranger")), {})

    def test_members_without_offsets(self) -> None:
        """Who does not respond, or not with a table, is left out."""
        members = [self.join(client_id=name) for name in "abcd"]
        asked = self.status()
        members[0].response.errback(RequestTimeout("a", "too late"))
        self.respond(members[1], b"")
        self.respond(members[2], b"{")
        self.respond(members[3], b" " * 70_000 + OF_GO)
        self.assertEqual(self.table_of(asked), {})

    def test_member_that_does_not_read(self) -> None:
        """It is left out and not asked: what is sent to it would pile up."""
        blocked, other = self.join(client_id="blocked"), self.join(client_id="other")
        blocked.is_write_blocked = True
        asked = self.status()
        self.respond(other, OF_GO)
        self.assertEqual(self.table_of(asked), {"other": {QUEUE: 9}})
        self.assertEqual(blocked.asked, [])

    def test_large_responses_are_not_kept(self) -> None:
        """They are dropped at once, not when the last member has responded."""
        large, other = self.join(client_id="large"), self.join(client_id="other")
        asked = self.status()
        response = Response(body=b" " * 70_000)
        large.response.callback(response)
        self.assertEqual(response.body, b"")
        self.respond(other, OF_GO)
        self.assertEqual(self.table_of(asked).keys(), {"other"})

    def test_responses_together_are_bounded(self) -> None:
        """Too many bytes are refused, and the remark says what to ask instead."""
        processor = StatusProcessor(
            clients=self.tables.clients, pacer=self.broker.pacer, largest=150
        )
        members = [self.join(client_id=f"c{number}") for number in range(3)]
        call = call_from(self.peer, self.clock.seconds())
        asked = maybeDeferred(processor.status, GetConsumerStatus("T", "G"), call)
        for each in members:
            self.respond(each, OF_GO)
        self.clock.pump([0.0] * 20)
        refused = self.failureResultOf(asked, Refused).value
        self.assertIn("clientAddr", refused.remark)

    def test_many_members(self) -> None:
        """So many are asked at the same time, the others after them."""
        members = [self.join(client_id=f"c{number}") for number in range(201)]
        self.status()
        self.assertEqual(sum(len(each.asked) for each in members), 200)

    def test_nobody_to_ask(self) -> None:
        """Without members, or with an old one, it is refused."""
        self.refused(1, "No Any Consumer online", GetConsumerStatus("T", "G"))
        self.join(27)
        self.refused(1, "version=27", GetConsumerStatus("T", "G"))
