"""Replies: to whom they are pushed, what is stored, and the responses."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.model.topic import PERM_READ, TopicConfig
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.compression import deflate
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import SendReplyMessage, SendReplyMessageV2
from rocketmq_tw.wire.requests.send import SendResponse
from tests.broker.cases import BrokerCase, sent
from tests.broker.doubles import client_of
from tests.broker.reply.cases import Requester

TOPIC = "DefaultCluster_REPLY_TOPIC"
OWN = "CORRELATION_ID\x01id\x02REPLY_TO_CLIENT\x01cid\x02MSG_TYPE\x01reply\x02"


def reply(text: str = OWN, **fields: Any) -> SendReplyMessageV2:
    """Make a reply as Java's clients make it."""
    request = sent(TOPIC, b"pong", properties=text, producer_group="Responders")
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    return SendReplyMessageV2(**values | fields)


class ReplyCase(BrokerCase):
    """A broker, and a client with the id ``cid`` that waits for a reply."""

    def setUp(self) -> None:
        """Let the client send a heartbeat."""
        super().setUp()
        self.requester = Requester()
        client = client_of(self.requester, client_id="cid")
        self.tables.clients.register_producer("Requesters", client)

    def confirm(self) -> None:
        """Let the client confirm what was pushed."""
        for _, waiting in self.requester.pushed:
            waiting.callback(Response())


class PushTests(ReplyCase):
    """A reply on its way to the client that waits."""

    def test_pushed(self) -> None:
        """It has body, flags and properties of the reply, and who sent it."""
        response = self.ask(reply(sys_flag=0x301, flag=3, born_timestamp=77))
        [(push, _)] = self.requester.pushed
        self.assertIsInstance(response, Deferred)
        self.assertEqual((push.body, push.sys_flag, push.flag), (b"pong", 0x301, 3))
        self.assertEqual((push.topic, push.producer_group), (TOPIC, "Responders"))
        self.assertEqual(push.born_timestamp, 77)
        self.assertEqual(push.born_host, self.peer.address)
        self.assertEqual(push.store_host, "10.0.0.1:10911")
        self.assertEqual(push.store_timestamp, 1_700_000_000_000)
        table = properties.decode(push.properties)
        self.assertEqual(table["CORRELATION_ID"], "id")
        self.assertEqual(table["PUSH_REPLY_TIME"], "1700000000000")
        self.assertEqual(table["CLUSTER"], "DefaultCluster")

    def test_response_waits_for_the_client(self) -> None:
        """It comes when the client has confirmed the reply, with what was stored."""
        before = self.store.commit_log_max
        response = self.ask(reply())
        self.assertNoResult(response)
        self.confirm()
        found: SendResponse = self.successResultOf(response)
        self.assertEqual((found.status, found.remark), (0, None))
        self.assertEqual(found.msg_id, f"0A00000100002A9F{before:016X}")
        copy = self.record_at(before)
        self.assertEqual((copy.topic, copy.body), (TOPIC, b"pong"))
        self.assertNotIn("PUSH_REPLY_TIME", copy.properties)

    def test_spelt_out(self) -> None:
        """The Go client spells the fields out."""
        names = reply().__struct_fields__
        values = {name: getattr(reply(), name) for name in names}
        response = self.ask(SendReplyMessage(**values))
        self.confirm()
        self.assertEqual(self.successResultOf(response).status, 0)

    def test_copy_is_never_held_back(self) -> None:
        """What its properties ask for concerns a send, not a copy."""
        text = OWN + "DELAY\x013\x02TRAN_MSG\x01true\x02TIMER_DELAY_SEC\x0160\x02"
        self.ask(reply(text))
        [copy] = self.messages(TOPIC)
        self.assertEqual(copy.topic, TOPIC)

    def test_compressed_copy(self) -> None:
        """Its flags say so: the original stores it without, so nobody can read it."""
        self.ask(reply(sys_flag=0x301, body=deflate(b"pong", 0x300)))
        self.assertEqual(self.messages(TOPIC)[0].body, b"pong")


class FailureTests(ReplyCase):
    """Replies that nobody takes: the code is 1, and a copy is stored."""

    def check(self, response: Any, remark: str) -> None:
        """Expect code 1 with this remark, and where the copy is."""
        if isinstance(response, Deferred):
            response = self.successResultOf(response)
        self.assertEqual(response.status, ResponseCode.SYSTEM_ERROR)
        self.assertIn(remark, response.remark)
        self.assertEqual(len(response.msg_id), 32)
        self.assertEqual(len(self.messages(TOPIC)), 1)

    def test_nobody_named(self) -> None:
        """A reply without a client has nowhere to go."""
        response = self.ask(reply("CORRELATION_ID\x01id\x02"))
        self.check(response, "reply message properties[REPLY_TO_CLIENT] is null")

    def test_unknown_client(self) -> None:
        """The client sends no heartbeats here, or is gone."""
        self.tables.clients.connection_lost(self.requester)
        response = self.ask(reply())
        self.check(response, "push reply message fail, channel of <cid> not found.")

    def test_silent_client(self) -> None:
        """A client that does not confirm it in time has not got it."""
        response = self.ask(reply())
        late = RequestTimeout("h:1", "no response in 10 s")
        self.requester.pushed[0][1].errback(late)
        self.check(response, "push reply message to cidfail.")

    def test_counted(self) -> None:
        """An operator sees how many replies wait."""
        self.ask(reply())
        gauges = self.stats.gauges
        self.assertEqual(
            (gauges["replyPushes"](), gauges["replyPushesRefused"]()), (1, 0)
        )

    def refused(self, code: int, **fields: Any) -> None:
        """Expect a refusal with a code."""
        self.assertEqual(self.ask(reply(**fields)).status, code)

    def test_refused_like_a_send(self) -> None:
        """A topic that is not writable, a large body, a batch: nothing is pushed."""
        self.refused(13, body=b"x" * 5000)
        self.refused(13, batch=True)
        self.refused(29, queue_id=99)
        self.refused(13, sys_flag=4)
        self.tables.topics.put(TopicConfig(TOPIC, 1, 0, PERM_READ))
        self.refused(29, queue_id=-1)
        self.assertEqual(self.requester.pushed, [])


class NotStoredTests(ReplyCase):
    """``storeReplyMessageEnable=false``."""

    settings = {"store_reply_message_enable": False}

    def test_pushed_only(self) -> None:
        """The message id is 0, as Apache RocketMQ's."""
        before = self.store.commit_log_max
        response = self.ask(reply())
        self.confirm()
        found = self.successResultOf(response)
        self.assertEqual((found.status, found.msg_id, found.queue_offset), (0, "0", 0))
        self.assertEqual(self.store.commit_log_max, before)

    def test_not_even_pushed(self) -> None:
        """Then there is no message to speak of."""
        response = self.ask(reply("CORRELATION_ID\x01id\x02"))
        self.assertEqual(self.successResultOf(response).status, 1)
