"""Sending: what reaches the brokers, what is refused, what callers learn."""

from __future__ import annotations

import random
import zlib

from rocketmq_tw.client.errors import (
    NoRouteError,
    NotDurable,
    ValidationError,
)
from rocketmq_tw.client.producer.results import SendStatus
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire import batch, properties
from rocketmq_tw.wire.codes import RequestCode
from tests.client.producing import HELLO, ProducerCase


class SendTests(ProducerCase):
    """One message, sent well."""

    def test_result(self) -> None:
        """The result names the queue and the offset."""
        result = self.sent(self.producer().send(HELLO))
        self.assertEqual(result.status, SendStatus.SEND_OK)
        self.assertEqual(result.queue.topic, "T")
        self.assertEqual(result.queue_offset, 0)
        self.assertEqual(result.offset_message_id, "0A00010100002A9F" + "0" * 16)
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

    def test_large_body_is_compressed(self) -> None:
        """From 4,096 bytes on, with zlib, and the flags say so."""
        producer = self.producer()
        self.sent(producer.send(Message("T", b"x" * 4095)))
        self.sent(producer.send(Message("T", b"x" * 4096)))
        plain, compressed = self.a.sent
        self.assertEqual((plain.sys_flag, len(plain.body)), (0, 4095))
        self.assertEqual(compressed.sys_flag, 0x301)
        self.assertEqual(zlib.decompress(compressed.body), b"x" * 4096)

    def test_body_that_compression_makes_larger(self) -> None:
        """It is sent as it is: compressed it might be more than brokers accept."""
        body = random.Random(0).randbytes(4 * 1024 * 1024)
        self.sent(self.producer().send(Message("T", body)))
        self.assertEqual(self.a.sent[0].sys_flag, 0)
        self.assertEqual(self.a.sent[0].body, body)

    def test_round_robin(self) -> None:
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
        self.a.respond(10, 11, 12)
        producer = self.producer()
        statuses = [self.sent(producer.send(HELLO)).status for _ in range(3)]
        self.assertEqual([int(status) for status in statuses], [10, 11, 12])

    def test_stored_less_safely_fails_if_configured(self) -> None:
        """With ``require_ok`` the same is a failure that carries the result."""
        self.a.respond(11)
        error = self.failed(self.producer(require_ok=True).send(HELLO), NotDurable)
        self.assertEqual(error.result.status, SendStatus.SLAVE_NOT_AVAILABLE)

    def test_new_topic(self) -> None:
        """A topic nobody knows is sent to where the default topic is."""
        self.cluster.broker("broker-c", auto_create_topic_enable=True)
        result = self.sent(self.producer().send(Message("New", b"x")))
        self.assertEqual(result.queue.broker_name, "broker-c")
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
        self.cluster.name_server.forget()
        producer = self.producer()
        for sending in [producer.send(HELLO) for _ in range(1000)]:
            self.sent(sending)
        self.assertEqual(self.cluster.name_server.asked, ["T"])
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
        """The Deferred fires once the message is written; there is no response."""
        self.assertIsNone(self.sent(self.producer().send_oneway(HELLO)))
        self.assertEqual(len(self.a.sent), 1)

    def test_oneway_waits_for_a_full_socket(self) -> None:
        """While the transport takes no more, the Deferred waits."""
        producer = self.producer()
        self.sent(producer.send(HELLO))
        near = self.cluster.network.links[-1].near
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
            (Message("SCHEDULE_TOPIC_XXXX", b"x"), "system topic"),
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
