"""Tests of what is passed on to the members of groups."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.model.msgid import offset_message_id
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.record import decode
from rocketmq_tw.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerRunningInfo,
)
from tests.broker.cases import STORE_HOST, BrokerCase, sent
from tests.broker.doubles import RespondingConnection, client_of


class RelayCase(BrokerCase):
    """Has a group of which a member is connected."""

    def join(self, version: int = 479, **client: Any) -> RespondingConnection:
        """Let a member join the group G."""
        connection = RespondingConnection()
        self.tables.clients.register_consumer(
            "G",
            client_of(connection, self.clock.seconds(), version=version, **client),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[],
        )
        return connection


class RunningInfoTests(RelayCase):
    """Administrators see what members do."""

    def info(self, client_id: str = "client") -> Any:
        """Ask a member for its report."""
        return self.ask(GetConsumerRunningInfo("G", client_id, False))

    def test_running_info_is_passed_on(self) -> None:
        """The member gets the request, and its response goes back as it is."""
        connection = self.join()
        passed = self.info()
        self.assertNoResult(passed)
        request = GetConsumerRunningInfo("G", "client", False)
        self.assertEqual(connection.asked, [(request, 10.0)])
        connection.response.callback(Response(body=b"{}"))
        self.assertEqual(self.successResultOf(passed).body, b"{}")

    def test_error_of_the_member_is_passed_on(self) -> None:
        """So are the code and the remark of one that cannot report."""
        connection = self.join()
        passed = self.info()
        connection.response.errback(BrokerError(3, "not supported", "a", "R"))
        response = self.successResultOf(passed)
        self.assertEqual((response.status, response.remark), (3, "not supported"))

    def test_member_that_does_not_respond(self) -> None:
        """After the time-out the code is 207."""
        connection = self.join()
        passed = self.info()
        connection.response.errback(RequestTimeout("a", "too late"))
        response = self.successResultOf(passed)
        self.assertEqual(int(response.status), 207)
        self.assertIn("too late", response.remark)

    def test_member_that_is_not_here(self) -> None:
        """An unknown client is refused, whether the group is online or not."""
        for _ in range(2):
            request = GetConsumerRunningInfo("G", "stranger", False)
            self.refused(1, "not online", request)
            self.join()

    def test_old_member(self) -> None:
        """One of a release that cannot report is not asked."""
        connection = self.join(61)
        self.refused(1, "too old", GetConsumerRunningInfo("G", "client", False))
        self.assertEqual(connection.asked, [])

    def test_member_that_does_not_read(self) -> None:
        """It is not asked: what is sent to it would pile up."""
        connection = self.join()
        connection.is_write_blocked = True
        self.refused(207, "does not read", GetConsumerRunningInfo("G", "client", False))
        self.assertEqual(connection.asked, [])


class ConsumeDirectlyTests(RelayCase):
    """Administrators let a member consume one message."""

    def setUp(self) -> None:
        """Store a message in a topic that another one resembles."""
        super().setUp()
        for name in ("T", "Other"):
            self.topic(name, 1)
        offset = self.store.commit_log_max
        self.ask(sent("T", b"once more"))
        self.message_id = offset_message_id(STORE_HOST, offset)
        self.tables.groups.find("G")

    def consume(self, **fields: Any) -> ConsumeMessageDirectly:
        """Make a request for the message."""
        values = {"client_id": "client", "msg_id": self.message_id, "topic": "T"}
        return ConsumeMessageDirectly("G", **values | fields)

    def test_message_is_passed_on(self) -> None:
        """The member gets the record, and the names and flags that belong to it."""
        connection = self.join()
        passed = self.ask(self.consume())
        ((asked, timeout),) = connection.asked
        self.assertEqual(timeout, 10.0)
        record, asked.body = decode(asked.body), b""
        self.assertEqual((record.body, record.topic), (b"once more", "T"))
        self.assertEqual(
            asked,
            self.consume(broker_name="broker-a", topic_sys_flag=0, group_sys_flag=0),
        )
        connection.response.callback(Response(body=b'{"consumeResult":"CR_SUCCESS"}'))
        body = self.successResultOf(passed).body
        self.assertEqual(body, b'{"consumeResult":"CR_SUCCESS"}')

    def test_message_without_a_topic(self) -> None:
        """Releases before 5 name no topic."""
        connection = self.join()
        self.ask(self.consume(topic=None))
        ((asked, _),) = connection.asked
        self.assertEqual((asked.topic, asked.topic_sys_flag), (None, None))

    def test_message_that_is_not_there(self) -> None:
        """The member is not asked where the id is none, or of no message there."""
        connection = self.join()
        beyond = offset_message_id(STORE_HOST, 1 << 62)
        largest = offset_message_id(STORE_HOST, (1 << 64) - 1)
        for message_id, words in (
            ("x", "32 or 56 hex digits"),
            ("", "32 or 56 hex digits"),
            (None, "32 or 56 hex digits"),
            ("G" * 32, "hex digits only"),
            (beyond, "can not find message"),
            (largest, "can not find message"),
        ):
            self.refused(1, words, self.consume(msg_id=message_id))
        self.assertEqual(connection.asked, [])

    def test_message_of_another_topic(self) -> None:
        """It is refused: access was checked for the topic in the request."""
        connection = self.join()
        self.refused(16, "does not match", self.consume(topic="Other"))
        self.assertEqual(connection.asked, [])

    def test_member_that_is_not_here(self) -> None:
        """It is looked for before the message is read."""
        self.refused(1, "not online", self.consume(client_id=None))
