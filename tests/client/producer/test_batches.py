"""Many messages in few requests."""

from __future__ import annotations

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.client.errors import BatchesIncomplete, ValidationError
from rocketmq_tw.client.producer.batches import MAX_MESSAGES, split
from rocketmq_tw.client.producer.message import Preparation
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.requests.send import SendBatchMessage, SendMessageV2
from tests.client.producing import ProducerCase


def made(count: int, size: int = 100) -> list[Message]:
    """Make messages whose bodies have their numbers."""
    return [Message("T", b"%d" % number + bytes(size)) for number in range(count)]


class SplitTests(ProducerCase):
    """Where messages are split."""

    def setUp(self) -> None:
        """Make what prepares messages, with keys of 32 characters."""
        super().setUp()
        self.preparation = Preparation(
            lambda: "0" * 32, max_size=1 << 20, compress_from=4096, compress_level=5
        )

    def test_sizes(self) -> None:
        """No request is larger than its limit, and all that fits is in it."""
        for limit in (500, 1000, 5000, 1 << 20):
            prepared = split(self.preparation, made(60), limit)
            self.assertTrue(all(len(each.body) <= limit for each in prepared), limit)
            counts = [each.message_id.count(",") + 1 for each in prepared]
            self.assertEqual(sum(counts), 60)
            self.assertEqual(len(set(counts[:-1])), min(1, len(counts) - 1))

    def test_full(self) -> None:
        """A request ends only where the next message does not fit: sizes are exact."""
        [one], limit = split(self.preparation, made(1), 1 << 20), 5000
        [two] = split(self.preparation, made(2), 1 << 20)
        each = len(two.body) // 2
        self.assertGreater(each, len(one.body))
        prepared = split(self.preparation, made(60 * limit // each)[:300], limit)
        for part in prepared[:-1]:
            self.assertGreater(len(part.body) + each + 2, limit)

    def test_large_message(self) -> None:
        """It is sent by itself, in the order of the others, and compressed."""
        messages = [*made(2), Message("T", b"x" * 10_000), *made(2)]
        prepared = split(self.preparation, messages, 1000)
        kinds = [each.kind for each in prepared]
        self.assertEqual(kinds, [SendBatchMessage, SendMessageV2, SendBatchMessage])
        self.assertEqual(prepared[1].sys_flag, 0x301)

    def test_very_large_message(self) -> None:
        """One that takes long to compress is sent by itself as it is."""
        body = b"x" * 200_000
        for messages in ([Message("T", body)], [*made(2), Message("T", body)]):
            prepared = split(self.preparation, messages, 1000)
            self.assertEqual(prepared[-1].kind, SendMessageV2)
            self.assertEqual((prepared[-1].body, prepared[-1].sys_flag), (body, 0))

    def test_number_of_messages(self) -> None:
        """Brokers take 32,768 at most."""
        self.assertEqual(MAX_MESSAGES, BrokerConfig().max_batch_messages)
        prepared = split(self.preparation, made(20), 1 << 20, max_messages=7)
        counts = [each.message_id.count(",") + 1 for each in prepared]
        self.assertEqual(counts, [7, 7, 6])

    def test_not_valid(self) -> None:
        """One message that cannot be sent is an error before anything is."""
        for other in (
            Message("Other", b"x"),
            Message("T", b""),
            Message("T", b"x", priority=-1),
        ):
            messages = [*made(2), other]
            self.assertRaises(ValidationError, split, self.preparation, messages, 1000)


class SendTests(ProducerCase):
    """Split messages, sent."""

    def test_in_order(self) -> None:
        """Requests follow one another, to one queue with a key."""
        producer = self.producer()
        sending = producer.send_batches(made(30), key="k", max_size=2000)
        results = self.sent(sending)
        self.assertGreater(len(results), 2)
        self.assertEqual(len({result.queue for result in results}), 1)
        offsets = [result.queue_offset for result in results]
        self.assertEqual(offsets, sorted(offsets))

    def test_nothing(self) -> None:
        """No messages are no request."""
        self.assertEqual(self.sent(self.producer().send_batches([])), [])

    def test_one_fails(self) -> None:
        """The error says how many were sent; what is behind the failure was not."""
        producer = self.producer(retries=0)
        messages = made(5)
        messages[2] = Message("T", b"x" * 3000, properties={"DELAY": "x"})
        error = self.failed(
            producer.send_batches(messages, max_size=1000), ValidationError
        )
        self.assertIn("by itself", str(error))
        self.assertEqual(self.a.sent, [])

    def test_broker_gone(self) -> None:
        """After a failure nothing more is sent."""
        producer = self.producer(retries=0, timeout=1)
        self.sent(producer.send(made(1)[0]))
        self.a.node.kill()
        sending = producer.send_batches(made(30), max_size=1000)
        self.cluster.pump(3)
        error = self.failureResultOf(sending, BatchesIncomplete).value
        self.assertEqual((error.sent, error.results), (0, []))
        self.assertIn("only 0 messages were sent", str(error))
