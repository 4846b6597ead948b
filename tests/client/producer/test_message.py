"""From a message to what is sent."""

from __future__ import annotations

from itertools import count

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.message import Preparation
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.sysflag import PREPARED
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.requests.send import SendBatchMessage, SendMessageV2


class PreparationTests(SynchronousTestCase):
    """What one producer makes of messages."""

    def setUp(self) -> None:
        """Let unique keys be numbers."""
        numbers = count(1)
        self.preparation = Preparation(
            lambda: f"KEY{next(numbers)}",
            max_size=1000,
            compress_from=100,
            compress_level=5,
        )

    def test_attempts_share_all_but_the_header(self) -> None:
        """Two attempts have their own queues, and one unique key."""
        prepared = self.preparation.one(Message("T", b"x"))
        one = prepared.request("g", MessageQueue("T", "a", 1), 1.5)
        other = prepared.request("g", MessageQueue("T", "b", 2), 2.5)
        self.assertIs(type(one), SendMessageV2)
        self.assertEqual((one.queue_id, one.broker_name), (1, "a"))
        self.assertEqual((other.queue_id, other.broker_name), (2, "b"))
        self.assertEqual((one.born_timestamp, other.born_timestamp), (1500, 2500))
        self.assertEqual(one.properties, other.properties)
        self.assertEqual(prepared.message_id, "KEY1")

    def test_size(self) -> None:
        """What is kept in memory counts: the body as it is sent, and the properties."""
        prepared = self.preparation.one(Message("T", b"x" * 500))
        self.assertLess(len(prepared.body), 100)
        self.assertEqual(prepared.size, len(prepared.body) + len(prepared.properties))

    def test_compression_makes_it_larger(self) -> None:
        """Then the body is sent as it is, and the flags say nothing of compression."""
        body = bytes(range(256))
        prepared = self.preparation.one(Message("T", body))
        self.assertEqual((prepared.body, prepared.sys_flag), (body, 0))

    def test_half_message(self) -> None:
        """A half message is flagged: brokers keep it from consumers."""
        message = Message("T", b"x", properties={"TRAN_MSG": "true"})
        self.assertEqual(self.preparation.one(message).sys_flag, PREPARED)

    def test_retry_counts(self) -> None:
        """To a retry topic they go into the header, and must be numbers."""
        message = Message("%RETRY%g", b"x", properties={"RECONSUME_TIME": "x"})
        self.assertRaises(ValidationError, self.preparation.one, message)

    def test_batch(self) -> None:
        """Its own properties hold no unique key: it would hide the items' own."""
        messages = [Message("T", b"a"), Message("T", b"b")]
        prepared = self.preparation.batch(messages)
        self.assertEqual(prepared.message_id, "KEY1,KEY2")
        self.assertEqual(prepared.properties, "")
        request = prepared.request("g", MessageQueue("T", "a", 1), 0)
        self.assertIs(type(request), SendBatchMessage)
        self.assertTrue(request.batch)

    def test_batch_of_what_brokers_refuse(self) -> None:
        """Messages with a delay, a time or a transaction are sent by themselves."""
        plain = Message("T", b"x")
        others = [Message("T", b"x", delay_level=1)]
        for name in (
            *("DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"),
            "TRAN_MSG",
        ):
            others.append(Message("T", b"x", properties={name: "5"}))
        for other in others:
            batch = [plain, other]
            error = self.assertRaises(ValidationError, self.preparation.batch, batch)
            self.assertIn("send it by itself", str(error))

    def test_batch_with_a_priority_below_0(self) -> None:
        """It is refused in a batch as it is by itself."""
        batch = [Message("T", b"x"), Message("T", b"x", priority=-1)]
        error = self.assertRaises(ValidationError, self.preparation.batch, batch)
        self.assertIn("the priority is -1; expected 0 or more", str(error))

    def test_wrong_numbers(self) -> None:
        """What is no number is named, also if Python could compare or convert it."""
        at = "expected a datetime or seconds"
        for wrong, why in (
            ({"priority": -1}, "the priority is -1; expected 0 or more"),
            ({"priority": "high"}, "the priority is 'high'; expected 0 or more"),
            ({"priority": 1.5}, "the priority is 1.5; expected 0 or more"),
            ({"priority": True}, "the priority is True; expected 0 or more"),
            ({"delay": "5"}, "the delay is '5'; expected seconds"),
            ({"delay": float("nan")}, "no time of delivery: cannot convert float NaN"),
            ({"deliver_at": "now"}, f"the deliver_at is 'now'; {at}"),
            ({"deliver_at": float("inf")}, "no time of delivery: cannot convert float"),
        ):
            message = Message("T", b"x", **wrong)
            error = self.assertRaises(ValidationError, self.preparation.one, message)
            self.assertIn(why, str(error))

    def test_batch_that_does_not_wait(self) -> None:
        """What all its messages share goes into the properties of the batch."""
        prepared = self.preparation.batch([Message("T", b"a", wait_store=False)])
        self.assertEqual(properties.decode(prepared.properties), {"WAIT": "false"})
