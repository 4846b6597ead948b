"""Sending: what reaches the brokers, what is tried again, what callers learn."""

from __future__ import annotations

import zlib
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import (
    GroupInUse,
    NoRouteError,
    NotDurable,
    NotRunning,
    QueueFull,
    SendCancelled,
    SendError,
    StateError,
    ValidationError,
)
from rocketmq_tw.client.producer import Producer
from rocketmq_tw.client.results import SendStatus
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError, ConnectError, RequestTimeout
from rocketmq_tw.wire import batch, properties
from rocketmq_tw.wire.codes import RequestCode, ResponseCode
from tests.client.cluster import FakeCluster

HELLO = Message("T", b"hello", tag="A", keys=("k1", "k2"), properties={"p": "v"})


class ProducerCase(SynchronousTestCase):
    """A producer, two brokers, and a topic with queues on both."""

    def setUp(self) -> None:
        """Start the client."""
        self.cluster = FakeCluster()
        self.clock = self.cluster.clock
        self.a = self.cluster.broker("broker-a")
        self.b = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4)
        self.cluster.topic("Two", broker_a=4, broker_b=1)
        self.client = self.cluster.client()
        self.client.startService()
        self.cluster.deliver()

    def tearDown(self) -> None:
        """Stop the client: no timer may be left."""
        stopped = self.client.stop(grace=0)
        self.cluster.pump(3)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def producer(self, **options: Any) -> Producer:
        """Make a producer; it runs, as its client does."""
        return self.client.producer("pg", **options)

    def sent(self, sending: Deferred[Any]) -> Any:
        """Deliver, and give the result."""
        self.cluster.deliver()
        return self.successResultOf(sending)

    def failed(self, sending: Deferred[Any], *kinds: type[Exception]) -> Any:
        """Deliver, and give the error."""
        self.cluster.deliver()
        return self.failureResultOf(sending, *kinds).value


class SendTests(ProducerCase):
    """One message, sent well."""

    def test_result(self) -> None:
        """The result tells where the message went."""
        result = self.sent(self.producer().send(HELLO))
        self.assertEqual(result.status, SendStatus.SEND_OK)
        self.assertEqual(result.queue.topic, "T")
        self.assertEqual(result.queue_offset, 0)
        self.assertEqual(result.offset_message_id, f"{1:032X}")
        self.assertEqual(len(result.message_id), 32)

    def test_request(self) -> None:
        """The header and the properties are as Java's producer writes them."""
        result = self.sent(self.producer().send(HELLO))
        request = self.a.sent[0]
        self.assertEqual(request.producer_group, "pg")
        self.assertEqual(request.default_topic, "TBW102")
        self.assertEqual(request.default_topic_queue_nums, 4)
        self.assertEqual(request.queue_id, result.queue.queue_id)
        self.assertEqual(request.born_timestamp, int(self.clock.seconds() * 1000))
        self.assertEqual(request.body, b"hello")
        self.assertEqual(request.sys_flag, 0)
        expected = {
            "p": "v",
            "KEYS": "k1 k2",
            "TAGS": "A",
            "WAIT": "true",
            "UNIQ_KEY": result.message_id,
        }
        self.assertEqual(properties.decode(request.properties or ""), expected)

    def test_callers_message_stays_as_it_is(self) -> None:
        """Nothing is written into the message or its properties."""
        self.sent(self.producer().send(HELLO))
        self.assertEqual(HELLO.properties, {"p": "v"})

    def test_own_unique_key_is_kept(self) -> None:
        """A message that carries a unique key is sent with it."""
        message = Message("T", b"x", properties={"UNIQ_KEY": "mine"})
        self.assertEqual(self.sent(self.producer().send(message)).message_id, "mine")

    def test_large_body_is_packed(self) -> None:
        """From 4,096 bytes on, with zlib, and the flags say so."""
        producer = self.producer()
        self.sent(producer.send(Message("T", b"x" * 4095)))
        self.sent(producer.send(Message("T", b"x" * 4096)))
        plain, packed = self.a.sent
        self.assertEqual((plain.sys_flag, len(plain.body)), (0, 4095))
        self.assertEqual(packed.sys_flag, 0x301)
        self.assertEqual(zlib.decompress(packed.body), b"x" * 4096)

    def test_turns(self) -> None:
        """Four messages go to four queues."""
        producer = self.producer()
        for _ in range(4):
            self.sent(producer.send(HELLO))
        self.assertEqual({r.queue_id for r in self.a.sent}, {0, 1, 2, 3})

    def test_key_and_queue(self) -> None:
        """A key goes where Java's hash says; a queue goes where it says."""
        producer = self.producer()
        self.sent(producer.send(HELLO, key="TagA"))
        self.sent(producer.send(HELLO, queue=MessageQueue("T", "broker-a", 1)))
        self.sent(producer.send(HELLO, selector=lambda queues, _m, _k: queues[2]))
        self.assertEqual([r.queue_id for r in self.a.sent], [3, 1, 2])

    def test_stored_less_safely_is_a_result(self) -> None:
        """Codes 10 to 12 are statuses: the master has stored the message."""
        self.a.outcomes = [10, 11, 12]
        producer = self.producer()
        statuses = [self.sent(producer.send(HELLO)).status for _ in range(3)]
        self.assertEqual([int(status) for status in statuses], [10, 11, 12])

    def test_stored_less_safely_fails_if_asked_to(self) -> None:
        """With ``require_ok`` the same is a failure that carries the result."""
        self.a.outcomes = [11]
        error = self.failed(self.producer(require_ok=True).send(HELLO), NotDurable)
        self.assertEqual(error.result.status, SendStatus.SLAVE_NOT_AVAILABLE)

    def test_new_topic(self) -> None:
        """A topic nobody knows is sent to where the default topic is."""
        self.cluster.topic("TBW102", broker_b=8)
        result = self.sent(self.producer().send(Message("New", b"x")))
        self.assertEqual(result.queue.broker_name, "broker-b")
        self.assertLess(result.queue.queue_id, 4)

    def test_retry_topic(self) -> None:
        """To a retry topic, counts travel in the header, not in the properties."""
        self.cluster.topic("%RETRY%g", broker_a=1)
        counts = {"RECONSUME_TIME": "3", "MAX_RECONSUME_TIMES": "16"}
        message = Message("%RETRY%g", b"x", properties=counts)
        self.sent(self.producer().send(message))
        request = self.a.sent[0]
        self.assertEqual(request.reconsume_times, 3)
        self.assertEqual(request.max_reconsume_times, 16)
        self.assertNotIn("RECONSUME", request.properties or "")

    def test_a_thousand_sends_ask_for_one_route(self) -> None:
        """A burst to a topic not known yet makes one question."""
        asked = self.cluster.name_server.asked
        asked.clear()
        producer = self.producer()
        for sending in [producer.send(HELLO) for _ in range(1000)]:
            self.sent(sending)
        self.assertEqual(asked, ["T"])
        self.assertEqual(len({r.properties for r in self.a.sent}), 1000)

    def test_batch(self) -> None:
        """One request with all messages, each with a unique key of its own."""
        messages = [Message("T", b"%d" % i) for i in range(3)]
        result = self.sent(self.producer().send_batch(messages))
        request = self.a.sent[0]
        self.assertEqual(request.code, RequestCode.SEND_BATCH_MESSAGE)
        self.assertTrue(request.batch)
        items = batch.split(request.body)
        self.assertEqual([body for _, body, _ in items], [b"0", b"1", b"2"])
        keys = [properties.find(text.decode(), "UNIQ_KEY") for _, _, text in items]
        self.assertEqual(",".join(map(str, keys)), result.message_id)
        self.assertEqual(request.properties, "")

    def test_oneway(self) -> None:
        """The Deferred fires once the message is handed over; nothing comes back."""
        self.assertIsNone(self.sent(self.producer().send_oneway(HELLO)))
        self.assertEqual(len(self.a.sent), 1)

    def test_oneway_waits_for_a_full_socket(self) -> None:
        """While the transport takes no more, the Deferred waits."""
        producer = self.producer()
        self.sent(producer.send(HELLO))
        near = self.cluster.network.links[-1][0]
        near.producer.pauseProducing()
        sending = producer.send_oneway(HELLO)
        self.assertNoResult(sending)
        near.producer.resumeProducing()
        self.successResultOf(sending)


class RefusedTests(ProducerCase):
    """What is not sent at all."""

    def test_bad_messages(self) -> None:
        """Each broken rule has its sentence; nothing reaches a broker."""
        producer = self.producer(max_message_size=10)
        for message, said in (
            (Message("", b"x"), "blank"),
            (Message("a b", b"x"), "illegal characters"),
            (Message("T" * 128, b"x"), "127"),
            (Message("SCHEDULE_TOPIC_XXXX", b"x"), "nobody may send"),
            (Message("T", b""), "empty"),
            (Message("T", b"x" * 11), "limit is 10"),
            (Message("T", "text"), "expected bytes"),  # type: ignore[arg-type]
            (Message("T", b"x", properties={"a": "\x01"}), "0x01"),
            (Message("T", b"x", properties={"a": ""}), "empty"),
            (Message("T", b"x", properties={"a": "v" * 32768}), "32767"),
        ):
            error = self.failed(producer.send(message), ValidationError)
            self.assertIn(said, str(error))
        self.assertEqual(self.a.sent, [])

    def test_bad_batches(self) -> None:
        """Messages of a batch share the topic, and none is delayed."""
        producer = self.producer(max_message_size=100)
        x = Message("T", b"x")
        for messages in (
            [],
            [x, Message("U", b"x")],
            [x, Message("T", b"x", delay_level=1)],
            [x, Message("T", b"x", wait_store=False)],
            [Message("T", b"x" * 99)],
        ):
            self.failed(producer.send_batch(messages), ValidationError)

    def test_foreign_queue(self) -> None:
        """A queue of another topic is a mistake."""
        queue = MessageQueue("U", "broker-a", 0)
        self.failed(self.producer().send(HELLO, queue=queue), ValidationError)

    def test_selector_that_raises(self) -> None:
        """What a selector raises is what the sender gets."""
        sending = self.producer().send(HELLO, selector=lambda *_: [][0])
        self.failed(sending, IndexError)

    def test_no_route(self) -> None:
        """Where no broker would create the topic, the error says so."""
        self.failed(self.producer().send(Message("New", b"x")), NoRouteError)

    def test_not_running(self) -> None:
        """A producer that was stopped sends nothing."""
        producer = self.producer()
        self.sent(producer.stop())
        self.failed(producer.send(HELLO), NotRunning)

    def test_group_in_use(self) -> None:
        """One producer a group; after its end, another."""
        first = self.producer()
        self.assertRaises(GroupInUse, self.producer)
        self.sent(first.stop())
        self.sent(self.producer().send(HELLO))

    def test_stopped_for_good(self) -> None:
        """A producer lives once, whether it was ever started or not."""
        producer = self.producer()
        for _ in range(2):
            self.sent(producer.stop())
        self.failed(producer.start(), StateError)
        idle = Producer(self.client.session, "never-started")
        self.sent(idle.stop())
        Producer(self.client.session, "never-started")

    def test_bad_group(self) -> None:
        """Reserved and malformed names are refused."""
        for group in ("", "a b", "DEFAULT_PRODUCER", "x" * 121):
            self.assertRaises(ValidationError, self.client.producer, group)


class RetryTests(ProducerCase):
    """What is tried again, where, and until when."""

    def test_refused_connect_goes_elsewhere_at_once(self) -> None:
        """The next attempt has another broker's queue in its header."""
        self.cluster.network.silence(self.a.address)
        for _ in range(5):
            result = self.sent(self.client_producer.send(Message("Two", b"x")))
            self.assertEqual(result.queue, MessageQueue("Two", "broker-b", 0))
        self.assertEqual({r.queue_id for r in self.b.sent}, {0})

    def test_passing_refusal_goes_elsewhere(self) -> None:
        """A busy broker's answer is retried, with the same unique key."""
        busy = ResponseCode.SYSTEM_BUSY
        self.a.outcomes = self.b.outcomes = [busy]
        result = self.sent(self.client_producer.send(Message("Two", b"x")))
        self.assertEqual(result.status, SendStatus.SEND_OK)
        both = self.a.sent[0], self.b.sent[0]
        keys = {properties.find(r.properties or "", "UNIQ_KEY") for r in both}
        self.assertEqual(len(keys), 1)

    def test_refusal_for_good(self) -> None:
        """An illegal message is not tried again."""
        self.a.outcomes = [ResponseCode.MESSAGE_ILLEGAL]
        error = self.failed(self.client_producer.send(HELLO), SendError)
        self.assertEqual(len(error.attempts), 1)
        self.assertIsInstance(error.__cause__, BrokerError)
        self.assertFalse(error.retryable)

    def test_same_broker_after_a_pause(self) -> None:
        """Where there is no other broker, the same is asked again a little later."""
        self.a.outcomes = [ResponseCode.SYSTEM_BUSY]
        sending = self.client_producer.send(HELLO)
        self.cluster.deliver()
        self.assertNoResult(sending)
        self.clock.advance(0.1)
        self.successResultOf(sending)
        self.assertEqual(len(set(self.a.opaques)), 2)

    def test_every_attempt_is_listed(self) -> None:
        """Three attempts at most; the error tells of each."""
        self.a.outcomes = [ResponseCode.SYSTEM_BUSY] * 3
        sending = self.client_producer.send(HELLO)
        self.cluster.pump(1)
        error = self.failureResultOf(sending, SendError).value
        self.assertEqual(len(error.attempts), 3)
        self.assertTrue(error.retryable)
        self.assertIn("broker-a (10.0.1.1:10911)", str(error))

    def test_silence_leaves_time_for_another(self) -> None:
        """A broker that does not answer uses up its part only: a second of three."""
        self.a.outcomes = [None] * 9
        producer = self.client_producer
        sending = [producer.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.pump(1.2)
        for each in sending:
            self.assertEqual(self.successResultOf(each).queue.broker_name, "broker-b")

    def test_budget_is_for_all_attempts(self) -> None:
        """After three seconds it is over, whatever was tried."""
        self.a.outcomes = [None] * 9
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
        self.cluster.network.links[-1][1].go_silent()
        sending = producer.send(HELLO)
        self.cluster.pump(3.2)
        self.failureResultOf(sending, SendError)
        self.sent(producer.send(HELLO))

    def test_key_is_tried_once(self) -> None:
        """To keep order, a message with a key is not sent twice."""
        self.a.outcomes = [ResponseCode.SYSTEM_BUSY]
        error = self.failed(self.client_producer.send(HELLO, key="k"), SendError)
        self.assertEqual(len(error.attempts), 1)

    def test_hanging_connect(self) -> None:
        """A broker that does not answer the connect costs its part only."""
        self.cluster.network.hanging.add(self.a.address)
        producer = self.client_producer
        sending = [producer.send(Message("Two", b"x")) for _ in range(5)]
        self.cluster.pump(1.2)
        for each in sending:
            self.successResultOf(each)

    def test_master_unknown(self) -> None:
        """A queue of a broker that no route names cannot be reached."""
        queue = MessageQueue("T", "broker-x", 0)
        error = self.failed(self.client_producer.send(HELLO, queue=queue), SendError)
        self.assertIsInstance(error.__cause__, ConnectError)

    def setUp(self) -> None:
        """Make the producer."""
        super().setUp()
        self.client_producer = self.producer()


class CancelTests(ProducerCase):
    """What becomes of a message whose sender gives up."""

    def test_while_the_route_is_looked_for(self) -> None:
        """Nothing is sent."""
        producer = self.producer()
        sending = producer.send(HELLO)
        sending.cancel()
        self.assertFalse(self.failed(sending, SendCancelled).maybe_sent)
        self.cluster.pump(1)
        self.assertEqual(self.a.sent, [])
        self.assertEqual(producer.in_flight, 0)

    def test_after_it_was_written(self) -> None:
        """The broker may have it; the late answer is dropped."""
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
        self.a.outcomes = [ResponseCode.SYSTEM_BUSY]
        sending = self.producer().send(HELLO)
        self.cluster.deliver()
        sending.cancel()
        self.failed(sending, SendCancelled)
        self.cluster.pump(1)
        self.assertEqual(len(self.a.sent), 1)

    def test_while_waiting_for_room(self) -> None:
        """The message leaves the queue."""
        self.a.outcomes = [None]
        producer = self.producer(max_in_flight=1)
        first, second = producer.send(HELLO), producer.send(HELLO)
        second.cancel()
        self.assertFalse(self.failed(second, SendCancelled).maybe_sent)
        first.cancel()
        self.failureResultOf(first, SendCancelled)
        self.assertEqual(len(self.a.sent), 1)

    def test_add_timeout(self) -> None:
        """Twisted's own time-out works as on any Deferred."""
        self.a.outcomes = [None]
        sending = self.producer().send(HELLO)
        sending.addTimeout(0.5, self.clock)
        self.cluster.pump(0.6)
        self.failureResultOf(sending, TimeoutError)


class FlowTests(ProducerCase):
    """How much is on its way at once."""

    def test_others_wait_their_turn(self) -> None:
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
        """If told so, what does not fit fails at once."""
        self.a.outcomes = [None]
        producer = self.producer(max_in_flight=1, overflow="fail")
        first = producer.send(HELLO)
        self.failed(producer.send(HELLO), QueueFull)
        first.cancel()
        self.failureResultOf(first, SendCancelled)

    def test_waiting_counts_against_the_time(self) -> None:
        """A message that gets no room in time fails, unsent."""
        self.a.outcomes = [None] * 3
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
        self.cluster.network.silence("10.0.0.1:9876")
        self.cluster.network.links[0][0].loseConnection()
        self.cluster.deliver()
        sending = [producer.send(HELLO) for _ in range(3000)]
        for each in sending:
            self.failureResultOf(each)

    def test_stop_waits_for_what_is_under_way(self) -> None:
        """Stopping fires once every message has its result."""
        producer = self.producer()
        sending = producer.send(HELLO)
        stopped = producer.stop()
        self.assertNoResult(stopped)
        self.sent(sending)
        self.successResultOf(stopped)
        self.assertEqual(self.a.left[0].producer_group, "pg")

    def test_stop_does_not_wait_for_ever(self) -> None:
        """After the grace the rest is cancelled."""
        self.a.outcomes = [None]
        producer = self.producer(timeout=60)
        self.client.session.grace = 1
        sending = producer.send(HELLO)
        self.cluster.deliver()
        stopped = producer.stop()
        self.clock.advance(1)
        self.failureResultOf(sending, SendCancelled)
        self.sent(stopped)
