"""Requests and replies as messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.replies.messages import as_reply, as_request
from rocketmq_tw.model.message import Message
from tests.client.fakes import message

ASKED = {
    "CORRELATION_ID": "id",
    "REPLY_TO_CLIENT": "client",
    "TTL": "2500",
    "CLUSTER": "C",
    "own": "1",
}


class RequestTests(SynchronousTestCase):
    """What is added to a request."""

    def test_properties(self) -> None:
        """Its number, who waits, and for how many ms; the caller's stays as it is."""
        plain = Message("T", b"x", tag="A", properties={"own": "1"})
        request = as_request(plain, "id", "client", 2.5)
        expected = {key: ASKED[key] for key in ASKED if key != "CLUSTER"}
        self.assertEqual(request.properties, expected)
        self.assertEqual((request.topic, request.tag), ("T", "A"))
        self.assertEqual(plain.properties, {"own": "1"})


class ReplyTests(SynchronousTestCase):
    """The reply to what a consumer got."""

    def test_reply(self) -> None:
        """It goes to the cluster's topic of replies, with what names the request."""
        reply = as_reply(message(0, properties=ASKED), b"pong", {"mine": "2"})
        self.assertEqual((reply.topic, reply.body), ("C_REPLY_TOPIC", b"pong"))
        expected = {
            "mine": "2",
            "CORRELATION_ID": "id",
            "REPLY_TO_CLIENT": "client",
            "TTL": "2500",
            "MSG_TYPE": "reply",
        }
        self.assertEqual(reply.properties, expected)

    def test_no_request(self) -> None:
        """Nobody waits for a reply to an ordinary message."""
        for missing in ("CORRELATION_ID", "REPLY_TO_CLIENT"):
            found = {key: ASKED[key] for key in ASKED if key != missing}
            request = message(0, properties=found)
            error = self.assertRaises(ValidationError, as_reply, request, b"x")
            self.assertIn("is not a request", str(error))

    def test_reply_to_a_reply(self) -> None:
        """A reply has the properties of its request, and is none."""
        request = message(0, properties={**ASKED, "MSG_TYPE": "reply"})
        self.assertRaises(ValidationError, as_reply, request, b"x")

    def test_no_cluster(self) -> None:
        """Without the broker's property there is no topic to send the reply to."""
        found = {key: ASKED[key] for key in ASKED if key != "CLUSTER"}
        request = message(0, properties=found)
        error = self.assertRaises(ValidationError, as_reply, request, b"x")
        self.assertIn("CLUSTER", str(error))
