"""Requests that wait for replies: each fires once."""

from __future__ import annotations

import zlib
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import QueueFull, ReplyTimeout
from rocketmq_tw.client.replies.outstanding import OutstandingRequests
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.compression import BodyTooLarge
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import PushReplyMessage

NOW = 1_700_000_000.0


def pushed(correlation_id: str = "id", **fields: Any) -> PushReplyMessage:
    """Make what a broker pushes."""
    values: dict[str, Any] = {
        "producer_group": "Responders",
        "topic": "C_REPLY_TOPIC",
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": 0,
        "sys_flag": 0,
        "born_timestamp": 7,
        "flag": 5,
        "properties": f"CORRELATION_ID\x01{correlation_id}\x02p\x01v\x02",
        "born_host": "10.0.0.9:4000",
        "store_host": "10.0.0.1:10911",
        "store_timestamp": 8,
        "body": b"pong",
    }
    return PushReplyMessage(**values | fields)


class OutstandingTests(SynchronousTestCase):
    """At most two may wait; a body inflates to 100 bytes at most."""

    def setUp(self) -> None:
        """Make the table on a clock."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.router = Router()
        config = ClientConfig(max_outstanding_requests=2, max_body_size=100)
        self.outstanding = OutstandingRequests(self.router, self.clock, config)

    def tearDown(self) -> None:
        """No timer is left."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.outstanding), 0)

    def expect(self, correlation_id: str = "id") -> Deferred[StoredMessage]:
        """Wait for a reply for three seconds."""
        return self.outstanding.expect(correlation_id, "T", 3.0)

    def push(self, request: PushReplyMessage) -> None:
        """Let a broker push a reply; it is confirmed in any case."""
        found = self.router.find(int(request.code))
        assert found is not None
        response: Any = found[1](request, None)  # type: ignore[arg-type]
        self.assertIsInstance(response, Response)
        self.assertEqual(response.status, 0)

    def test_reply(self) -> None:
        """The one who waits gets it as a message, with the time of its arrival."""
        waiting = self.expect()
        self.push(pushed())
        reply = self.successResultOf(waiting)
        self.assertEqual((reply.topic, reply.body), ("C_REPLY_TOPIC", b"pong"))
        self.assertEqual((reply.born_time_ms, reply.store_time_ms), (7, 8))
        self.assertEqual(reply.flag, 5)
        self.assertEqual(reply.born_host, "10.0.0.9:4000")
        self.assertEqual(reply.properties["p"], "v")
        self.assertEqual(reply.properties["ARRIVE_TIME"], "1700000000000")

    def test_twice(self) -> None:
        """A responder that repeats its reply is confirmed; nothing fires again."""
        waiting = self.expect()
        self.push(pushed())
        self.push(pushed())
        self.push(pushed("another"))
        self.push(pushed(properties=None))
        self.successResultOf(waiting)

    def test_too_late(self) -> None:
        """It fails at its time with the topic; a later reply is dropped."""
        waiting = self.expect()
        self.clock.advance(2.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        error = self.failureResultOf(waiting, ReplyTimeout).value
        self.assertEqual(str(error), 'no reply to a request of "T" came in 3 s')
        self.push(pushed())

    def test_failed(self) -> None:
        """A request that could not be sent fails with that; once."""
        waiting = self.expect()
        for _ in range(2):
            self.outstanding.fail("id", Failure(ValueError()))
        self.failureResultOf(waiting, ValueError)

    def test_cancelled(self) -> None:
        """Who cancels waits no more."""
        waiting = self.expect()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.push(pushed())

    def test_limit(self) -> None:
        """Past the limit nothing is sent; a reply makes room."""
        first, _second = self.expect("1"), self.expect("2")
        error = self.assertRaises(QueueFull, self.expect, "3")
        self.assertIn("max_outstanding_requests", str(error))
        self.push(pushed("1"))
        self.successResultOf(first)
        third = self.expect("3")
        self.push(pushed("2"))
        self.push(pushed("3"))
        self.successResultOf(third)

    def test_compressed(self) -> None:
        """A body is inflated when it is read, up to the limit."""
        self.assertEqual(self.inflated(100).body, b"x" * 100)
        longer = self.inflated(101)
        self.assertRaises(BodyTooLarge, lambda: longer.body)

    def test_not_compressed_in_truth(self) -> None:
        """Go's client sends long replies plain, with the flag of compressed ones."""
        waiting = self.expect()
        self.push(pushed(sys_flag=1, body=b"plain"))
        self.assertEqual(self.successResultOf(waiting).body, b"plain")

    def inflated(self, size: int) -> StoredMessage:
        """Get a reply whose body inflates to so many bytes."""
        waiting = self.expect()
        self.push(pushed(sys_flag=0x301, body=zlib.compress(b"x" * size)))
        return self.successResultOf(waiting)
