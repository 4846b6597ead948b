"""Sends: what is retried, given up, and held back."""

from __future__ import annotations

from twisted.internet.defer import TimeoutError

from rocketmq_tw.client.errors import (
    QueueFull,
    SendCancelled,
    SendError,
)
from rocketmq_tw.client.producer.results import SendStatus
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.remoting.errors import (
    BrokerError,
    ConnectError,
    ConnectionLost,
    RequestTimeout,
)
from rocketmq_tw.testing.link import LinkState
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.bodies.route import encode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetRoute
from tests.client.producing import HELLO, ProducerCase


class RetryTests(ProducerCase):
    """What is attempted again, where, and until when."""

    def test_refused_connect_goes_elsewhere_at_once(self) -> None:
        """The next attempt has another broker's queue in its header."""
        self.cluster.network.refuse(self.a.address)
        for _ in range(5):
            result = self.sent(self.client_producer.send(Message("Two", b"x")))
            self.assertEqual(result.queue, MessageQueue("Two", "broker-b", 0))
        self.assertEqual({r.queue_id for r in self.b.sent}, {0})

    def test_passing_refusal_goes_elsewhere(self) -> None:
        """A busy broker's refusal is retried, with the same unique key."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        for _ in range(5):
            result = self.sent(self.client_producer.send(Message("Two", b"x")))
            self.assertEqual(result.status, SendStatus.SEND_OK)
        refused = properties.find(self.a.sent[0].properties or "", "UNIQ_KEY")
        keys = {properties.find(r.properties or "", "UNIQ_KEY") for r in self.b.sent}
        self.assertIn(refused, keys)

    def test_refusal_for_good(self) -> None:
        """An illegal message is not tried again."""
        self.a.respond(ResponseCode.MESSAGE_ILLEGAL)
        error = self.failed(self.client_producer.send(HELLO), SendError)
        self.assertEqual(len(error.attempts), 1)
        self.assertIsInstance(error.__cause__, BrokerError)
        self.assertFalse(error.retryable)

    def test_same_broker_after_a_pause(self) -> None:
        """Where there is no other broker, the same is asked again a little later."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        sending = self.client_producer.send(HELLO)
        self.cluster.deliver()
        self.assertNoResult(sending)
        self.clock.advance(0.1)
        self.successResultOf(sending)
        self.assertEqual(len({header.opaque for header in self.a.headers}), 2)

    def test_every_attempt_is_listed(self) -> None:
        """Three attempts at most; the error lists each."""
        self.a.respond(*[ResponseCode.SYSTEM_BUSY] * 3)
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(1)
        error = self.failureResultOf(sending, SendError).value
        self.assertEqual(len(error.attempts), 3)
        self.assertTrue(error.retryable)
        self.assertIn("broker-a (10.0.1.1:10911)", str(error))

    def test_silence_leaves_time_for_another(self) -> None:
        """A broker that does not respond uses up its part only: a second of three."""
        self.a.respond(*[None] * 9)
        producer = self.client_producer
        sending = [producer.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.pump(1.2)
        for each in sending:
            self.assertEqual(self.successResultOf(each).queue.broker_name, "broker-b")

    def test_budget_is_for_all_attempts(self) -> None:
        """After three seconds it is over, whatever was tried."""
        self.a.respond(*[None] * 9)
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(2.9)
        self.assertNoResult(sending)
        self.cluster.pump(0.2)
        error = self.failureResultOf(sending, SendError).value
        self.assertIsInstance(error.__cause__, RequestTimeout)

    def test_silent_connection_is_cut(self) -> None:
        """A broker that vanished without a word gets a new connection later."""
        producer = self.client_producer
        self.sent(producer.send(HELLO))
        self.cluster.network.links[-1].set_state(LinkState.SILENT)
        sending = producer.send(HELLO)
        self.cluster.pump(3.2)
        self.failureResultOf(sending, SendError)
        self.sent(producer.send(HELLO))
        # The broker's end learns nothing, until it has been idle for two minutes.
        self.cluster.pump(120, step=5)

    def test_key_is_tried_once(self) -> None:
        """To keep order, a message with a key is not sent twice."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        error = self.failed(self.client_producer.send(HELLO, key="k"), SendError)
        self.assertEqual(len(error.attempts), 1)

    def test_hanging_connect(self) -> None:
        """A broker that does not accept the connection costs its part only."""
        self.cluster.hang(self.a.address)
        producer = self.client_producer
        sending = [producer.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.pump(1.2)
        for each in sending:
            self.successResultOf(each)

    def test_master_unknown(self) -> None:
        """A queue of a broker that no route names cannot be reached."""
        queue = MessageQueue("T", "broker-x", 0)
        sending = self.client_producer.send(HELLO, queue=queue)
        self.cluster.pump(3.1)
        error = self.failureResultOf(sending, SendError).value
        self.assertIsInstance(error.__cause__, ConnectError)

    def test_failed_broker_is_avoided(self) -> None:
        """A broker that failed one message gets none of the next ones for a while."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        producer = self.client_producer
        queue = MessageQueue("Two", "broker-a", 0)
        self.failed(producer.send(Message("Two", b"x"), queue=queue), SendError)
        for _ in range(10):
            self.sent(producer.send(Message("Two", b"x")))
        self.assertEqual((len(self.a.sent), len(self.b.sent)), (1, 10))

    def test_illegal_message_is_nobodys_fault(self) -> None:
        """A refusal that no retry would help is no reason to avoid the broker."""
        self.a.respond(ResponseCode.MESSAGE_ILLEGAL)
        producer = self.client_producer
        queue = MessageQueue("Two", "broker-a", 0)
        self.failed(producer.send(Message("Two", b"x"), queue=queue), SendError)
        for _ in range(10):
            self.sent(producer.send(Message("Two", b"x")))
        self.assertGreater(len(self.a.sent), 1)

    def setUp(self) -> None:
        """Make the producer."""
        super().setUp()
        self.client_producer = self.producer()


class RestartTests(ProducerCase):
    """A broker that is away for a moment, within a message's time."""

    def setUp(self) -> None:
        """Send one message, so that there is a connection."""
        super().setUp()
        self.client_producer = self.producer()
        self.sent(self.client_producer.send(HELLO))

    def stop_broker(self) -> None:
        """Close the connection, and refuse new ones."""
        self.cluster.network.refuse(self.a.address)
        self.cluster.disconnect(self.a.address)

    def start_broker(self) -> None:
        """Accept connections again."""
        self.cluster.network.admit(self.a.address)

    def test_refused_connection(self) -> None:
        """The broker is tried until it is back; the caller sees a slow send only."""
        self.stop_broker()
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(2)
        self.assertNoResult(sending)
        self.start_broker()
        self.cluster.pump(0.6)
        self.assertEqual(self.successResultOf(sending).queue.broker_name, "broker-a")

    def test_lost_connection(self) -> None:
        """A message whose connection was lost is sent again: at least once."""
        self.a.respond(None)
        sending = self.client_producer.send(HELLO)
        self.cluster.deliver()
        self.stop_broker()
        self.start_broker()
        self.cluster.pump(1)
        self.successResultOf(sending)
        first, second = self.a.sent[1:]
        self.assertEqual(first.properties, second.properties)

    def test_until_the_time_is_up(self) -> None:
        """The pauses grow; the error gives the last attempts and no more."""
        self.stop_broker()
        before = len(self.cluster.network.attempts)
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(2.8)
        self.assertNoResult(sending)
        self.cluster.pump(0.3)
        error = self.failureResultOf(sending, SendError).value
        tried = len(self.cluster.network.attempts) - before
        self.assertEqual(len(error.attempts), tried)
        self.assertTrue(7 <= tried <= 12, tried)
        self.assertEqual(str(error).count("could not connect"), 3)

    def test_all_brokers_are_tried_in_a_round(self) -> None:
        """Where two brokers are away there is no pause between them."""
        self.stop_broker()
        self.cluster.network.refuse(self.b.address)
        del self.cluster.network.attempts[:]
        sending = self.client_producer.send(Message("Two", b"x"))
        self.cluster.deliver()
        self.assertEqual(
            set(self.cluster.network.attempts), {self.a.address, self.b.address}
        )
        self.assertEqual(len(self.cluster.network.attempts), 2)
        self.cluster.pump(3.1)
        self.failureResultOf(sending, SendError)

    def test_stopping_broker(self) -> None:
        """A broker that refuses as it stops counts like one that is away."""
        self.a.respond(*[ResponseCode.SERVICE_NOT_AVAILABLE] * 5)
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(2.5)
        self.successResultOf(sending)

    def test_order_is_kept(self) -> None:
        """A message with a key waits for its own queue, though there are others."""
        sent = self.sent(self.client_producer.send(Message("Two", b"1"), key="a"))
        self.assertEqual(sent.queue.broker_name, "broker-a")
        self.stop_broker()
        sending = self.client_producer.send(Message("Two", b"2"), key="a")
        self.cluster.pump(1)
        self.assertNoResult(sending)
        self.start_broker()
        self.cluster.pump(1)
        self.assertEqual(self.successResultOf(sending).queue, sent.queue)

    def test_order_forbids_sending_twice(self) -> None:
        """A message with a key that may be stored already is not sent again."""
        self.a.respond(None)
        sending = self.client_producer.send(HELLO, key="k")
        self.cluster.deliver()
        self.stop_broker()
        error = self.failureResultOf(sending, SendError).value
        self.assertIsInstance(error.__cause__, ConnectionLost)

    def test_one_way_is_sent_once(self) -> None:
        """A one-way message that finds no broker fails at once."""
        self.stop_broker()
        error = self.failed(self.client_producer.send_oneway(HELLO), SendError)
        self.assertEqual(len(error.attempts), 1)

    def test_no_retries(self) -> None:
        """With ``retries=0`` one attempt is all."""
        once = self.client.producer("once", retries=0)
        self.stop_broker()
        error = self.failed(once.send(HELLO), SendError)
        self.assertEqual(len(error.attempts), 1)

    def test_route_is_gone_for_a_moment(self) -> None:
        """A topic whose only broker left the name server waits for it to return."""
        self.stop_broker()
        nowhere = encode_route(TopicRoute(queue_datas=(), broker_datas=()))
        traffic = self.cluster.name_server.node.traffic
        traffic.respond(GetRoute, Response(body=nowhere), times=99)
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(1.5)
        self.assertNoResult(sending)
        self.start_broker()
        traffic.restore()
        self.cluster.pump(1.2)
        self.successResultOf(sending)

    def test_hint(self) -> None:
        """Only for an address that was never reached the error says what to check."""
        self.stop_broker()
        self.cluster.network.refuse(self.b.address)
        for queue, hinted in (
            (MessageQueue("Two", "broker-a", 0), False),
            (MessageQueue("Two", "broker-b", 0), True),
        ):
            sending = self.client_producer.send(Message("Two", b"x"), queue=queue)
            self.cluster.pump(3.1)
            text = str(self.failureResultOf(sending, SendError).value)
            self.assertEqual(text.count("brokerIP1"), int(hinted), text)


class CancelTests(ProducerCase):
    """What becomes of a message whose sender gives up."""

    def test_while_the_route_is_looked_up(self) -> None:
        """Nothing is sent."""
        producer = self.producer()
        sending = producer.send(HELLO)
        sending.cancel()
        self.assertFalse(self.failed(sending, SendCancelled).maybe_sent)
        self.cluster.pump(1)
        self.assertEqual(self.a.sent, [])
        self.assertEqual(producer.in_flight, 0)

    def test_after_it_was_written(self) -> None:
        """The broker may have it; the late response is dropped."""
        producer = self.producer()
        self.sent(producer.send(HELLO))
        sending = producer.send(HELLO)
        sending.cancel()
        self.assertTrue(self.failureResultOf(sending, SendCancelled).value.maybe_sent)
        self.cluster.deliver()
        self.assertEqual(len(self.a.sent), 2)
        self.assertEqual(producer.in_flight, 0)

    def test_between_attempts(self) -> None:
        """No further attempt is made."""
        self.a.respond(ResponseCode.SYSTEM_BUSY)
        sending = self.producer().send(HELLO)
        self.cluster.deliver()
        sending.cancel()
        self.failed(sending, SendCancelled)
        self.cluster.pump(1)
        self.assertEqual(len(self.a.sent), 1)

    def test_while_waiting_for_a_permit(self) -> None:
        """The message leaves the queue."""
        self.a.respond(None)
        producer = self.producer(max_in_flight=1)
        first, second = producer.send(HELLO), producer.send(HELLO)
        second.cancel()
        self.assertFalse(self.failed(second, SendCancelled).maybe_sent)
        first.cancel()
        self.failureResultOf(first, SendCancelled)
        self.assertEqual(len(self.a.sent), 1)

    def test_add_timeout(self) -> None:
        """Twisted's own time-out works as on any Deferred."""
        self.a.respond(None)
        sending = self.producer().send(HELLO)
        sending.addTimeout(0.5, self.clock)
        self.cluster.pump(0.6)
        self.failureResultOf(sending, TimeoutError)


class FlowTests(ProducerCase):
    """How much is in flight at once."""

    def test_others_wait_for_a_permit(self) -> None:
        """At most so many are sent at once; the first to come is the first to go."""
        producer = self.producer(max_in_flight=2)
        messages = [Message("T", b"%d" % i) for i in range(6)]
        sending = [producer.send(message) for message in messages]
        self.assertEqual(producer.in_flight, 2)
        self.cluster.deliver()
        for each in sending:
            self.successResultOf(each)
        self.assertEqual([r.body for r in self.a.sent], [m.body for m in messages])

    def test_bytes_count_too(self) -> None:
        """A large message goes alone, even if it is over the limit."""
        producer = self.producer(max_in_flight_bytes=1000)
        self.sent(producer.send(Message("T", b"x" * 2000)))
        sending = [producer.send(Message("T", b"x" * 700)) for _ in range(2)]
        self.assertEqual(producer.in_flight, 1)
        self.assertLess(producer.in_flight_bytes, 1000)
        for each in sending:
            self.sent(each)

    def test_overflow_fails(self) -> None:
        """If configured so, what exceeds the limit fails at once."""
        self.a.respond(None)
        producer = self.producer(max_in_flight=1, overflow="fail")
        first = producer.send(HELLO)
        self.failed(producer.send(HELLO), QueueFull)
        first.cancel()
        self.failureResultOf(first, SendCancelled)

    def test_waiting_counts_against_the_time(self) -> None:
        """A message that gets no permit in time fails, unsent."""
        self.a.respond(*[None] * 3)
        producer = self.producer(max_in_flight=1)
        first, second = producer.send(HELLO), producer.send(HELLO, timeout=0.5)
        self.cluster.pump(0.6)
        error = self.failureResultOf(second, SendError).value
        self.assertEqual(error.attempts, [])
        self.cluster.pump(3)
        self.failureResultOf(first, SendError)

    def test_many_that_fail_at_once(self) -> None:
        """Thousands that wait and fail do not exhaust the stack."""
        producer = self.producer(max_in_flight=1)
        self.cluster.network.refuse("10.0.0.1:9876")
        self.cluster.disconnect("10.0.0.1:9876")
        sending = [producer.send(HELLO) for _ in range(1000)]
        self.cluster.deliver()
        for each in sending:
            self.failureResultOf(each)

    def test_stop_waits_for_what_is_in_flight(self) -> None:
        """Stopping fires once every message has its result."""
        producer = self.producer()
        sending = producer.send(HELLO)
        stopped = producer.stop()
        self.assertNoResult(stopped)
        self.sent(sending)
        self.successResultOf(stopped)
        self.assertEqual(self.a.left[0].producer_group, "pg")

    def test_stop_does_not_wait_for_ever(self) -> None:
        """After the grace what is left is cancelled."""
        self.a.respond(None)
        producer = self.producer(timeout=60)
        self.client.session.grace = 1
        sending = producer.send(HELLO)
        self.cluster.deliver()
        stopped = producer.stop()
        self.clock.advance(1)
        self.failureResultOf(sending, SendCancelled)
        self.sent(stopped)


class NewTopicTests(ProducerCase):
    """A topic that its first message creates."""

    def test_route_is_found_at_once(self) -> None:
        """Once a message is stored, the others go to the queues of the topic itself."""
        self.cluster.broker("broker-c", auto_create_topic_enable=True)
        producer = self.producer()
        message = Message("New", b"x")
        self.sent(producer.send(message))
        self.assertEqual(len(self.client.session.routes.writable("New")), 4)
        self.cluster.name_server.forget()
        for _ in range(10):
            self.sent(producer.send(message))
        self.assertEqual(self.cluster.name_server.asked, [])
