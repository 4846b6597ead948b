"""Tests of rocketmq_tw.broker.transactions.half."""

from __future__ import annotations

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    DELAY,
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMER_DELAY_SEC,
    TRAN_MSG,
    TRAN_PREPARED_QUEUE_OFFSET,
    TRANSACTION_CHECK_TIMES,
    TRANSACTION_ID,
    UNIQ_KEY,
)
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.wire.requests.send import SendMessage
from tests.broker.cases import TOPIC, sent
from tests.broker.transactions.cases import TransactionCase, half


class HalfTests(TransactionCase):
    """What becomes of a message of a transaction."""

    def test_stored(self) -> None:
        """It is in the queue of half messages, and knows what it is meant for."""
        message = self.prepare(b"a", more={"k": "v"})
        kept = message.properties
        self.assertEqual((message.topic, message.queue_id), (TRANS_HALF_TOPIC, 0))
        self.assertEqual((kept[REAL_TOPIC], kept[REAL_QUEUE_ID]), (TOPIC, "2"))
        self.assertEqual((kept[TRANSACTION_ID], kept[UNIQ_KEY]), ("a", "a"))
        self.assertEqual((kept[TRAN_MSG], kept["k"]), ("true", "v"))
        self.assertEqual(message.sys_flag & sysflag.TRANSACTION_MASK, 0)
        self.assertEqual(message.prepared_transaction_offset, 0)
        self.assertEqual(self.consumed(), [])

    def test_properties_of_copies(self) -> None:
        """A client cannot say that its half message is a copy of another one."""
        more = {TRAN_PREPARED_QUEUE_OFFSET: "0", TRANSACTION_CHECK_TIMES: "15"}
        kept = self.prepare(b"a", more=more).properties
        self.assertEqual(kept.keys() & more.keys(), set())

    def test_response(self) -> None:
        """It says where the half message is, and which queue it is meant for."""
        self.prepare()
        response = self.now(half(b"b"))
        self.assertEqual((response.queue_id, response.queue_offset), (2, 1))
        self.assertEqual(response.transaction_id, "b")
        message = self.messages(TRANS_HALF_TOPIC)[1]
        self.assertEqual(response.msg_id, message.offset_message_id)

    def test_full_names(self) -> None:
        """As Go's client sends it, in another case and without the bit."""
        text = f"{TRAN_MSG}\x01TRUE\x02{PGROUP}\x01PG\x02"
        values = {
            name: getattr(sent(), name)
            for name in SendMessage.__struct_fields__
            if name in sent().__struct_fields__
        }
        request = SendMessage(**values | {"properties": text})
        self.assertEqual(self.now(request).status, 0)
        self.assertEqual(len(self.messages(TRANS_HALF_TOPIC)), 1)

    def test_without_the_group_of_its_producer(self) -> None:
        """That of the request is taken: otherwise nobody could end it."""
        message = self.prepare(more={PGROUP: ""}, producer_group="Other")
        self.assertEqual(message.properties[PGROUP], "Other")
        self.end_now(message, producer_group="Other")
        self.assertEqual(self.consumed(), [b"Hello"])

    def test_what_it_cannot_be(self) -> None:
        """Delayed, timed or for a retry topic: Apache RocketMQ would lose it."""
        for more in ({DELAY: "1"}, {TIMER_DELAY_SEC: "10"}):
            self.wrong("cannot be delayed", half(more=more), 13)
        retry = half(queue_id=0)
        retry.topic = "%RETRY%G"
        self.wrong("retry topic", retry, 13)
        self.assertEqual(self.messages(TRANS_HALF_TOPIC), [])

    def test_other_bits(self) -> None:
        """A client cannot send what looks committed."""
        self.wrong("committed", half(sys_flag=sysflag.COMMIT), 13)

    def test_plain_messages_are_not(self) -> None:
        """Only with the property, and if that is true."""
        self.assertIsNone(self.now(sent()).transaction_id)
        response = self.now(sent(properties=f"{TRAN_MSG}\x01false\x02"))
        self.assertEqual((response.status, response.transaction_id), (0, None))
        self.assertEqual(self.messages(TRANS_HALF_TOPIC), [])


class LimitTests(TransactionCase):
    """How many half messages there may be since the oldest that is pending."""

    settings = {"max_half_messages": 2}

    def test_refused(self) -> None:
        """Until the oldest is decided; plain messages are accepted."""
        first = self.prepare(b"a")
        self.end_now(self.prepare(b"b"))
        self.wrong("maxHalfMessages", half(b"c"), 2)
        self.assertEqual(self.now(sent()).status, 0)
        self.assertEqual(self.stats.gauges["halfMessagesRefused"](), 1)
        self.assertEqual(self.stats.gauges["halfMessages"](), 2)
        self.end_now(first)
        self.prepare(b"c")


class ForbiddenTests(TransactionCase):
    """A broker with ``rejectTransactionMessage``."""

    settings = {"reject_transaction_message": True}

    def test_refused(self) -> None:
        """With a sentence; plain messages are accepted."""
        self.wrong("transaction message is forbidden", half(), 16)
        self.assertEqual(self.now(sent()).status, 0)
