"""The short way of a message, and how the general way continues it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.client.errors import (
    NotDurable,
    QueueFull,
    SendCancelled,
    SendError,
)
from rocketmq_tw.client.producer.attempt import call
from rocketmq_tw.client.producer.context import SendContext
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.pending import PendingSend
from rocketmq_tw.client.producer.quick import BATCHED_FROM
from rocketmq_tw.client.producer.results import SendStatus
from rocketmq_tw.client.producer.retry import Repeat, RetryPolicy
from rocketmq_tw.client.time_limits import MAX_LIMITS
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError, ConnectionLost, RequestTimeout
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from tests.client.counting import Deferreds
from tests.client.producing import HELLO, ProducerCase

PLAIN = Message("T", b"x", tag="A")


class QuickCase(ProducerCase):
    """A producer that is connected to both brokers."""

    def setUp(self) -> None:
        """Send one message to each."""
        super().setUp()
        self.client_producer = self.producer()
        for name in ("broker-a", "broker-b"):
            queue = MessageQueue("Two", name, 0)
            self.sent(self.client_producer.send(Message("Two", b"x"), queue=queue))
        self.sent(self.client_producer.send(PLAIN))
        for broker in (self.a, self.b):
            broker.node.traffic.clear()

    def send(self, message: Message = PLAIN, **options: Any) -> Deferred[Any]:
        """Send a message."""
        return self.client_producer.send(message, **options)


class WorkTests(QuickCase):
    """What a message takes."""

    def test_one_deferred(self) -> None:
        """The one that the caller gets; a late one is not made for a time-out."""
        with Deferreds() as made:
            sending = [self.send() for _ in range(50)]
            self.cluster.deliver()
        for each in sending:
            self.successResultOf(each)
        self.assertEqual(made.count, 50)

    def test_timers(self) -> None:
        """All messages in flight have one timer, and one for writing them together."""
        sending = [self.send() for _ in range(BATCHED_FROM + 1)]
        before = len(self.cluster.timers())
        sending += [self.send() for _ in range(50)]
        self.assertEqual(len(self.cluster.timers()), before)
        self.cluster.deliver()
        for each in sending:
            self.successResultOf(each)


class RequestTests(QuickCase):
    """What brokers and callers get."""

    def test_same_request(self) -> None:
        """The request is that of the general way, up to times, numbers and keys."""
        for message in (PLAIN, HELLO, Message("T", b"x" * 9000, flag=7, delay_level=1)):
            queue = MessageQueue("T", "broker-a", 2)
            result = self.sent(self.send(message, queue=queue))
            request = self.a.sent[-1]
            prepared = self.client_producer._ready().one(message)
            expected = prepared.request("pg", queue, self.clock.seconds())
            sent = properties.decode(request.properties or "")
            self.assertEqual(sent.pop("UNIQ_KEY"), result.message_id)
            wanted = properties.decode(expected.properties or "")
            del wanted["UNIQ_KEY"]
            self.assertEqual(sent, wanted)
            expected.properties = request.properties
            self.assertEqual(request, expected)

    def test_result(self) -> None:
        """The result names the queue, the offset and both ids."""
        first, second = self.sent(self.send(key="k")), self.sent(self.send(key="k"))
        self.assertEqual(second.status, SendStatus.SEND_OK)
        self.assertEqual(first.queue, second.queue)
        self.assertEqual(second.queue_offset, first.queue_offset + 1)
        self.assertEqual(second.offset_message_id[:16], "0A00010100002A9F")

    def test_queues_in_turn(self) -> None:
        """All queues get the same number of messages."""
        for _ in range(8):
            self.send()
        self.cluster.deliver()
        queues = [request.queue_id for request in self.a.sent]
        self.assertEqual(sorted(queues), [0, 0, 1, 1, 2, 2, 3, 3])

    def test_failing_selector(self) -> None:
        """Its exception is the result; it is called once, and no permit is lost."""
        called = []

        def fails(*arguments: object) -> MessageQueue:
            called.append(arguments)
            raise ZeroDivisionError

        self.failureResultOf(self.send(selector=fails), ZeroDivisionError)
        self.assertEqual((len(called), self.client_producer.in_flight), (1, 0))

    def test_what_cannot_be_encoded(self) -> None:
        """It fails, and no permit is lost."""
        message = Message("T", b"x", keys=("\ud800",))
        self.failureResultOf(self.send(message), UnicodeEncodeError)
        self.assertEqual(self.client_producer.in_flight, 0)

    def test_less_durable(self) -> None:
        """A message that is stored, but not as durably, is reported with its status."""
        self.a.respond(ResponseCode.FLUSH_SLAVE_TIMEOUT)
        result = self.sent(self.send())
        self.assertEqual(result.status, SendStatus.FLUSH_SLAVE_TIMEOUT)

    def test_require_ok(self) -> None:
        """That is an error for a producer that asks for it."""
        strict = self.client.producer("strict", require_ok=True)
        self.sent(strict.send(PLAIN))
        self.a.respond(ResponseCode.FLUSH_DISK_TIMEOUT)
        self.failed(strict.send(PLAIN), NotDurable)


class ContinuedTests(QuickCase):
    """First attempts that fail are continued in the general way."""

    def test_refused_for_good(self) -> None:
        """The error lists the attempt, with its address."""
        self.a.respond(ResponseCode.MESSAGE_ILLEGAL)
        error = self.failed(self.send(), SendError)
        self.assertIsInstance(error.__cause__, BrokerError)
        (attempt,) = error.attempts
        self.assertEqual(attempt.address, self.a.address)

    def test_refused_for_now(self) -> None:
        """Another broker gets the message, with the same key."""
        self.a.respond(*[ResponseCode.SYSTEM_BUSY] * 5)
        sending = [self.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.deliver()
        ids = {self.successResultOf(each).message_id for each in sending}
        keys = {properties.find(r.properties or "", "UNIQ_KEY") for r in self.b.sent}
        self.assertEqual(keys, ids)

    def test_no_response(self) -> None:
        """The message is given up at its time; the others are not concerned."""
        self.a.respond(None)
        sending = self.send(key="k")
        others = [self.send() for _ in range(3)]
        self.cluster.pump(2.9)
        self.assertNoResult(sending)
        for each in others:
            self.successResultOf(each)
        self.cluster.pump(0.2)
        error = self.failureResultOf(sending, SendError).value
        self.assertIsInstance(error.__cause__, RequestTimeout)
        self.assertIn("SendMessageV2 had no response within 3 s", str(error))

    def test_again(self) -> None:
        """After its part of the time a message is sent again."""
        self.a.respond(None)
        sending = self.send()
        self.cluster.pump(0.9)
        self.assertNoResult(sending)
        self.cluster.pump(0.4)
        self.successResultOf(sending)
        first, second = self.a.sent
        self.assertEqual(first.properties, second.properties)

    def test_whole_time(self) -> None:
        """The time of all attempts is counted from the first."""
        self.a.respond(*[None] * 9)
        sending = self.send()
        self.cluster.pump(2.9)
        self.assertNoResult(sending)
        self.cluster.pump(0.2)
        self.assertEqual(
            len(self.failureResultOf(sending, SendError).value.attempts), 3
        )

    def test_lost_connection(self) -> None:
        """It is sent again on a new one, unless its order matters."""
        self.a.respond(None, None)
        ordered, sending = self.send(key="k"), self.send()
        self.cluster.deliver()
        self.cluster.disconnect(self.a.address)
        self.cluster.pump(1)
        self.successResultOf(sending)
        error = self.failureResultOf(ordered, SendError).value
        self.assertIsInstance(error.__cause__, ConnectionLost)

    def test_many_lost(self) -> None:
        """All in flight are continued; their permits are returned once."""
        self.a.respond(*[None] * 20)
        sending = [self.send() for _ in range(20)]
        self.cluster.deliver()
        self.cluster.disconnect(self.a.address)
        self.cluster.pump(1)
        for each in sending:
            self.successResultOf(each)
        self.assertEqual(self.client_producer.in_flight, 0)

    def test_no_connection(self) -> None:
        """The queue whose turn it is waits for its connection: none is left out."""
        self.cluster.disconnect(self.a.address)
        self.cluster.disconnect(self.b.address)
        sending = [self.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.deliver()
        queues = {self.successResultOf(each).queue for each in sending}
        self.assertEqual(len(queues), 5)

    def test_many_time_limits(self) -> None:
        """Messages with ever new time limits are sent too, and expire."""
        self.a.respond(*[None] * 100)
        once = self.client.producer("once", retries=0)
        limits = [1 + i / 100 for i in range(MAX_LIMITS + 10)]
        sending = [once.send(PLAIN, timeout=limit) for limit in limits]
        self.cluster.pump(1.5, step=0.01)
        for each in sending:
            self.failureResultOf(each, SendError)

    def test_no_time(self) -> None:
        """A message without time for an attempt is not sent."""
        self.failed(self.send(timeout=0), SendError)
        self.assertEqual(self.a.sent, [])


class CancelTests(QuickCase):
    """What becomes of messages whose sender gives up."""

    def test_in_flight(self) -> None:
        """The broker may have it; the permit is returned, the response dropped."""
        sending = self.send()
        sending.cancel()
        self.assertTrue(self.failureResultOf(sending, SendCancelled).value.maybe_sent)
        self.assertEqual(self.client_producer.in_flight, 0)
        self.cluster.deliver()
        self.assertEqual(len(self.a.sent), 1)

    def test_after_a_failed_attempt(self) -> None:
        """There is no other attempt."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        sending = self.send()
        self.cluster.deliver()
        sending.cancel()
        self.assertTrue(self.failureResultOf(sending, SendCancelled).value.maybe_sent)
        self.cluster.pump(1)
        self.assertEqual((len(self.a.sent), self.client_producer.in_flight), (1, 0))

    def test_because_another_was_lost(self) -> None:
        """A callback may cancel messages of the same connection when it is lost."""
        self.a.respond(None, None)
        second = self.send(key="k")
        first = self.send(key="k")
        second.addErrback(lambda _: first.cancel())
        self.cluster.deliver()
        self.cluster.disconnect(self.a.address)
        self.failureResultOf(first, SendCancelled)
        self.assertEqual(self.client_producer.in_flight, 0)

    def test_stop(self) -> None:
        """A producer that stops cancels what has no response after its grace."""
        self.a.respond(None)
        sending = self.send(timeout=60)
        self.client.session.grace = 0.5
        stopped = self.client_producer.stop()
        self.cluster.pump(1)
        self.failureResultOf(sending, SendCancelled)
        self.successResultOf(stopped)


class LimitTests(QuickCase):
    """Messages beyond the limits wait."""

    def test_what_waiting_takes(self) -> None:
        """A thousand that wait have one Deferred each, and one timer together."""
        narrow = self.client.producer("narrow", max_in_flight=1)
        self.sent(narrow.send(PLAIN))
        sending = [narrow.send(PLAIN), narrow.send(PLAIN)]
        before = len(self.cluster.timers())
        with Deferreds() as made:
            sending += [narrow.send(PLAIN) for _ in range(1000)]
        self.assertEqual(made.count, 1000)
        self.assertEqual(len(self.cluster.timers()), before)
        for each in sending:
            each.cancel()
            self.failureResultOf(each, SendCancelled)
        self.assertEqual(narrow.in_flight, 0)

    def test_too_many_wait(self) -> None:
        """Beyond the limit of those that wait a message fails at once."""
        session = self.client.session
        context = SendContext(
            group="g",
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            in_flight=InFlight(1, 1 << 20, max_waiting=1),
            require_ok=False,
        )
        prepared = self.client_producer._ready().one(PLAIN)
        policy = RetryPolicy(Repeat.NEVER)
        sends = [
            PendingSend(context, prepared, None, 3.0, policy, call) for _ in range(3)
        ]
        for send in sends:
            send.start()
        self.failureResultOf(sends[2].result, QueueFull)
        self.cluster.deliver()
        self.successResultOf(sends[0].result)
        self.successResultOf(sends[1].result)
        context.time_limits.stop()

    def test_wait_for_a_permit(self) -> None:
        """They are sent in order, as permits are returned."""
        narrow = self.client.producer("narrow", max_in_flight=2)
        queue = MessageQueue("T", "broker-a", 0)
        sending = [narrow.send(Message("T", b"%d" % i), queue=queue) for i in range(6)]
        self.assertEqual(narrow.in_flight, 2)
        self.cluster.deliver()
        for each in sending:
            self.successResultOf(each)
        self.assertEqual([r.body for r in self.a.sent], [b"%d" % i for i in range(6)])
