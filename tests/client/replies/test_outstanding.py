"""Requests that wait for replies: each fires once."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import NotRunning, QueueFull, ReplyTimeout
from rocketmq_tw.client.replies.outstanding import OutstandingRequests, PendingRequest
from rocketmq_tw.client.time_limits import TimeLimits
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
        self.limits = TimeLimits(self.clock)
        self.outstanding = OutstandingRequests(
            self.router, self.clock, self.limits, config
        )

    def tearDown(self) -> None:
        """Nothing is left."""
        self.limits.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.outstanding), 0)

    def pending(
        self, correlation_id: str = "id", owner: object = "P"
    ) -> PendingRequest:
        """Expect a reply for two of the three seconds that the caller set."""
        return self.outstanding.expect(
            correlation_id, "T", owner=owner, timeout=3.0, left=2.0
        )

    def expect(self, correlation_id: str = "id") -> Deferred[StoredMessage]:
        """Wait for a reply."""
        return self.pending(correlation_id).result

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
        self.assertEqual(reply.properties["CORRELATION_ID"], "id")

    def test_last_separator(self) -> None:
        """Brokers of 4.9 leave it out; an absent text is none."""
        waiting = self.expect()
        self.push(pushed(properties="CORRELATION_ID\x01id\x02p\x01v"))
        expected = {"CORRELATION_ID": "id", "p": "v", "ARRIVE_TIME": "1700000000000"}
        self.assertEqual(self.successResultOf(waiting).properties, expected)

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
        self.clock.advance(1.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        error = self.failureResultOf(waiting, ReplyTimeout).value
        self.assertEqual(str(error), 'no reply to a request of "T" came in 3 s')
        self.push(pushed())

    def test_failed(self) -> None:
        """A request that could not be sent fails with that; once."""
        pending, sending = self.pending(), Deferred[None]()
        pending.sent(sending)
        sending.errback(ValueError())
        self.failureResultOf(pending.result, ValueError)
        pending.fail(Failure(KeyError()))

    def test_failed_at_once(self) -> None:
        """So does one whose send has failed before it was known."""
        pending = self.pending()
        pending.sent(fail(ValueError()))
        self.failureResultOf(pending.result, ValueError)

    def test_send_without_response(self) -> None:
        """At the end, the send is waited for no more."""
        ends: dict[str, Callable[[], None]] = {
            "reply": lambda: self.push(pushed()),
            "time": lambda: self.clock.advance(2),
            "stop": lambda: self.outstanding.fail_all_of("P", ValueError()),
        }
        for name, end in ends.items():
            cancelled: list[Deferred[None]] = []
            pending = self.pending()
            pending.sent(Deferred(cancelled.append))
            end()
            self.assertEqual(len(cancelled), 1, name)
            self.assertTrue(pending.result.called)
            pending.result.addErrback(lambda _: None)
        pending = self.pending()
        pending.result.cancel()
        self.failureResultOf(pending.result, CancelledError)
        pending.sent(Deferred(cancelled.append))
        self.assertEqual(len(cancelled), 2)

    def test_owners(self) -> None:
        """Only the requests of one owner are failed, also where one ends another."""
        first, second = self.pending("1"), self.pending("2", "another")
        self.outstanding.fail_all_of("P", NotRunning("stopped"))
        self.failureResultOf(first.result, NotRunning)
        third = self.pending("3", "another")
        second.result.addErrback(lambda _: third.result.cancel())
        self.outstanding.fail_all_of("another", NotRunning("stopped"))
        self.failureResultOf(third.result, CancelledError)
        self.assertIsNone(self.successResultOf(second.result))

    def test_timers(self) -> None:
        """All that wait for as long have one timer."""
        self.expect("1"), self.expect("2")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.push(pushed("1"))
        self.push(pushed("2"))

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
