"""Requests through a cluster: every Deferred fires once, whatever happens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.client import Client
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.errors import (
    NotRunning,
    ReplyTimeout,
    SendError,
    ValidationError,
)
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.requests.reply import SendReplyMessageV2

PING = Message("Questions", b"ping", tag="A")


class RequesterCase(SynchronousTestCase):
    """Two brokers, a client that asks, and one that replies to each request twice."""

    def setUp(self) -> None:
        """Start the responder."""
        self.cluster = MemoryCluster(brokers=2)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("Questions")
        self.client = self.cluster.client()

    def respond(self, times: int = 1) -> PushConsumer:
        """Let another client reply to all requests."""

        async def handle(message: StoredMessage) -> None:
            for _ in range(times):
                await responder.reply(message, b"re: " + message.body)

        consumer = self.cluster.consumer("Responders", "Questions", handle)
        responder: Client = self.cluster.clients[-1]
        return consumer

    def result_of(self, deferred: Deferred[Any]) -> Any:
        """Let time pass until there is a result."""
        return self.cluster.result_of(deferred)

    def outstanding(self) -> int:
        """Return how many requests wait."""
        return len(self.client.session.outstanding)


class RequestTests(RequesterCase):
    """A request and its reply."""

    def test_reply(self) -> None:
        """The reply has the body of the handler, and the id of the request."""
        self.respond()
        reply = self.result_of(self.client.request(PING, timeout=5))
        self.assertEqual(reply.body, b"re: ping")
        self.assertEqual(reply.topic, "DefaultCluster_REPLY_TOPIC")
        self.assertEqual(reply.properties["REPLY_TO_CLIENT"], self.client.client_id)
        self.assertEqual(self.outstanding(), 0)

    def test_every_broker_of_the_cluster(self) -> None:
        """Replies come through brokers that hold nothing of what the client sends."""
        self.cluster.create_topic("Questions2", {"broker-a": 1})
        self.respond()
        # The first request registers the client with both.
        self.result_of(self.client.request(PING, timeout=5))
        taken: set[str] = set()
        for _ in range(40):
            self.result_of(self.client.request(PING, timeout=5))
        for name, node in self.cluster.brokers.items():
            if node.traffic.requests(SendReplyMessageV2):
                taken.add(name)
        self.assertEqual(taken, {"broker-a", "broker-b"})

    def test_repeated_reply(self) -> None:
        """A second reply is confirmed and dropped."""
        self.respond(times=2)
        reply = self.result_of(self.client.request(PING, timeout=5))
        self.cluster.advance(1)
        self.assertEqual(reply.body, b"re: ping")

    def test_new_topic(self) -> None:
        """A request may create its topic."""
        request = self.client.request(Message("New", b"x"), timeout=1)
        error = self.failure_of(request, ReplyTimeout)
        self.assertEqual(str(error), 'no reply to a request of "New" came in 1 s')
        self.assertEqual(len(self.cluster.messages("New")), 1)

    def failure_of(self, deferred: Deferred[Any], kind: type[Exception]) -> Exception:
        """Let time pass, and return the error."""
        return self.assertRaises(kind, self.result_of, deferred)


class FailureTests(RequesterCase):
    """Whatever happens, it fires, and nothing is left."""

    def failure_of(self, deferred: Deferred[Any], kind: type[Exception]) -> Any:
        """Let time pass, and return the error."""
        error = self.assertRaises(kind, self.result_of, deferred)
        self.assertEqual(self.outstanding(), 0)
        return error

    def test_nobody_replies(self) -> None:
        """It fails at its time, not earlier or later."""
        begin = self.cluster.clock.seconds()
        self.failure_of(self.client.request(PING, timeout=2), ReplyTimeout)
        self.assertAlmostEqual(self.cluster.clock.seconds() - begin, 2, places=3)

    def test_brokers_gone(self) -> None:
        """What cannot be sent fails as a send does."""
        self.result_of(self.client.producer("P").send(PING))
        for node in self.cluster.brokers.values():
            node.kill()
        self.failure_of(self.client.request(PING, timeout=2), SendError)

    def test_connection_lost_while_waiting(self) -> None:
        """The broker is gone after it stored the request: it fails at its time."""
        waiting = self.client.request(PING, timeout=5)
        self.cluster.advance(1)
        self.assertNoResult(waiting)
        for node in self.cluster.brokers.values():
            node.kill()
        self.failure_of(waiting, ReplyTimeout)

    def test_no_time(self) -> None:
        """Without any time it fails as one whose time is over."""
        for timeout in (0, -1, float("nan")):
            for _ in range(2):
                waiting = self.client.request(PING, timeout=timeout)
                self.failure_of(waiting, ReplyTimeout)
            # The second time it is known where replies come from.
            self.result_of(self.client.producer(f"P{timeout}").send(PING))

    def test_endless(self) -> None:
        """An infinite time cannot be sent, and leaves nothing behind."""
        for number in range(2):
            waiting = self.client.request(PING, timeout=float("inf"))
            self.failure_of(waiting, OverflowError)
            self.assertEqual(self.outstanding(), 0)
            self.result_of(self.client.producer(f"P{number}").send(PING))

    def test_no_message(self) -> None:
        """What is no message fails, and is not raised, known topic or not."""
        for _ in range(2):
            for wrong in ("text", Message("Questions", b"x", properties=None)):
                waiting = self.client.request(wrong)
                self.failure_of(waiting, (AttributeError, TypeError))
            self.failure_of(self.client.request(PING, timeout=1), ReplyTimeout)

    def test_late_registration(self) -> None:
        """A reactor that stood still while brokers were asked: the time is over."""

        def prepare(topic: str) -> Deferred[None]:
            self.cluster.clock.advance(9)
            return succeed(None)

        self.patch(self.client.session.reply_brokers, "prepare", prepare)
        self.failure_of(self.client.request(PING, timeout=5), (ReplyTimeout, SendError))

    def test_not_valid(self) -> None:
        """A message that cannot be sent is no request either."""
        self.failure_of(self.client.request(Message("T", b"")), ValidationError)

    def test_cancelled(self) -> None:
        """Who cancels waits no more; a later reply is confirmed and dropped."""
        self.respond()
        waiting = self.client.request(PING, timeout=5)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.cluster.advance(1)
        self.assertEqual(self.outstanding(), 0)

    def test_stopped(self) -> None:
        """A producer that is stopped keeps nobody waiting."""
        producer = self.client.producer("P")
        waiting = producer.request(PING, timeout=60)
        self.cluster.advance(1)
        self.result_of(producer.stop())
        self.failure_of(waiting, NotRunning)
        self.failure_of(producer.request(PING), NotRunning)

    def test_requester_gone(self) -> None:
        """The responder is told; its send is tried at each broker of the cluster."""
        asked: list[StoredMessage] = []
        self.cluster.consumer("C", "Questions", asked.append)
        waiting = self.client.request(PING, timeout=60)
        self.cluster.wait_until(lambda: asked)
        self.result_of(self.client.stop())
        self.failureResultOf(waiting, NotRunning)
        responder = self.cluster.producer("Responders")
        error = self.failure_of(responder.reply(asked[0], b"x"), SendError)
        self.assertIn("channel of <client-1> not found", str(error))
        asked_at = {attempt.broker_name for attempt in error.attempts}
        self.assertEqual(asked_at, {"broker-a", "broker-b"})

    def test_no_request(self) -> None:
        """There is no reply to an ordinary message, and no broker is asked."""
        self.result_of(self.client.producer("P").send(PING))
        [message] = self.cluster.messages("Questions")
        self.failure_of(self.client.reply(message, b"x"), ValidationError)
        for node in self.cluster.brokers.values():
            self.assertEqual(node.traffic.requests(SendReplyMessageV2), [])


class PropertiesTests(RequesterCase):
    """What is on the wire."""

    def test_code(self) -> None:
        """A request is an ordinary send, a reply has its own code."""
        self.assertEqual(SendReplyMessageV2.code, RequestCode.SEND_REPLY_MESSAGE_V2)
        request = self.client.request(PING, timeout=1)
        self.assertRaises(ReplyTimeout, self.result_of, request)
        [stored] = self.cluster.messages("Questions")
        self.assertEqual(stored.properties["TTL"], "1000")
        self.assertEqual(len(stored.properties["CORRELATION_ID"]), 36)
