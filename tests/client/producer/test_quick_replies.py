"""The short way of a reply."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.client.errors import SendError
from rocketmq_tw.client.producer import quick
from rocketmq_tw.model.message import (
    CLUSTER,
    CORRELATION_ID,
    REPLY_TO_CLIENT,
    Message,
)
from rocketmq_tw.model.topic import reply_topic
from rocketmq_tw.wire.requests.reply import SendReplyMessageV2
from tests.client.counting import Deferreds
from tests.client.fakes import message
from tests.client.producer.test_quick import QuickCase


class ReplyTests(QuickCase):
    """Replies go the short way, too, with their own code."""

    def setUp(self) -> None:
        """Send one to each broker."""
        super().setUp()
        for _ in range(20):
            self.sent(self.reply())
        for broker in (self.a, self.b):
            broker.node.traffic.clear()

    def reply(self, client_id: str | None = None) -> Deferred[Any]:
        """Reply to a request of a client; of our own if there is none."""
        asked = {
            CORRELATION_ID: "id",
            REPLY_TO_CLIENT: client_id or self.client.client_id,
            CLUSTER: "DefaultCluster",
        }
        return self.client_producer.reply(message(0, properties=asked), b"x")

    def replies(self) -> list[SendReplyMessageV2]:
        """Return the replies that came to the brokers."""
        return [
            request
            for broker in (self.a, self.b)
            for request in broker.node.traffic.requests(SendReplyMessageV2)
        ]

    def test_one_deferred(self) -> None:
        """The one that the caller gets."""
        with Deferreds() as made:
            sending = [self.reply() for _ in range(50)]
        self.assertEqual(made.count, 50)
        self.cluster.deliver()
        for each in sending:
            self.successResultOf(each)
        self.assertEqual(len(self.replies()), 50)

    def test_code_of_its_own(self) -> None:
        """A message to the topic of replies is no reply, and the other way round."""
        to_topic = Message(reply_topic("DefaultCluster"), b"x")
        for _ in range(2):
            for queue in self.client.session.routes.writable(to_topic.topic):
                self.sent(self.send(to_topic, queue=queue))
            for _ in range(20):
                self.sent(self.reply())
        self.assertEqual(len(self.replies()), 40)
        sent = {request.queue_id for request in self.a.sent + self.b.sent}
        self.assertTrue(sent.issuperset(reply.queue_id for reply in self.replies()))

    def test_limit_of_headers(self) -> None:
        """All kinds together have so many prepared headers at most."""
        self.patch(quick, "MAX_HEADERS", 3)
        for queue in self.client.session.routes.writable("Two"):
            self.sent(self.send(Message("Two", b"x"), queue=queue))
            self.sent(self.reply())
            forms = self.client_producer._quick._forms
            self.assertLessEqual(sum(map(len, forms.values())), 3)

    def test_unknown_client(self) -> None:
        """The error lists the attempts at each broker, with the kind of request."""
        sending = self.reply("unknown")
        self.cluster.pump(3)
        error = self.failureResultOf(sending, SendError).value
        names = {attempt.broker_name for attempt in error.attempts}
        self.assertEqual(names, {"broker-a", "broker-b"})
        self.assertIn("SendReplyMessageV2", str(error.__cause__))
        self.assertIn("channel of <unknown> not found", str(error))
