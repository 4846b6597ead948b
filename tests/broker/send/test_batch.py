"""Sending batches: stored whole, or refused whole."""

from __future__ import annotations

from rocketmq_tw.wire import batch
from rocketmq_tw.wire.requests.send import SendBatchMessage
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

RETRY = f"%RETRY%{GROUP}"


def batched(*bodies: bytes, topic: str = TOPIC, **fields: object) -> SendBatchMessage:
    """Make a send of several messages."""
    items = [(0, body, "TAGS\x01TagA\x02") for body in bodies]
    values = {name: getattr(sent(topic), name) for name in sent().__struct_fields__}
    return SendBatchMessage(**values | {"body": batch.encode(items)} | fields)


class BatchTests(BrokerCase):
    """Several messages in one request."""

    def test_stored(self) -> None:
        """Each becomes a record of its own; the response names them all."""
        response = self.ask(batched(b"1", b"2", b"3", queue_id=1))
        messages = self.messages(TOPIC, 1)
        self.assertEqual([m.body for m in messages], [b"1", b"2", b"3"])
        self.assertEqual([m.queue_offset for m in messages], [0, 1, 2])
        ids = [f"0A00000100002A9F{m.commit_log_offset:016X}" for m in messages]
        self.assertEqual(response.msg_id, ",".join(ids))
        self.assertEqual((response.queue_id, response.queue_offset), (1, 0))

    def test_marked(self) -> None:
        """The other codes send a batch too, when they say so."""
        request = sent(body=batched(b"1", b"2").body, batch=True)
        self.assertEqual(self.ask(request).status, 0)
        self.assertEqual(len(self.messages(TOPIC)), 2)

    def test_refused(self) -> None:
        """What a batch cannot be is refused whole."""
        self.refused(13, "the batch is empty", batched())
        self.refused(13, "malformed at byte 0", batched(body=b"1234"))
        delayed = batched(b"1", properties="DELAY\x011\x02")
        self.refused(13, "cannot be delayed", delayed)
        self.refused(1, "DELAY of the", batched(b"1", properties="DELAY\x01x\x02"))
        long = batched(b"1", properties="x" * 32_768)
        self.refused(13, "properties text has 32768", long)
        self.refused(13, "retry topic", batched(b"1", topic=RETRY))
        self.refused(13, "at most 4096", batched(bytes(4097)))
        self.assertEqual(self.store.commit_log_max, 0)

    def test_properties_of_items(self) -> None:
        """An item's properties cannot break the record."""
        items = [(0, b"1", "A\x01b"), (0, b"2", "")]
        self.ask(batched(body=batch.encode(items)))
        self.assertEqual([m.body for m in self.messages(TOPIC)], [b"1", b"2"])


class LimitTests(BrokerCase):
    """Batches have a largest number of messages."""

    settings = {"max_batch_messages": 3}

    def test_many_messages(self) -> None:
        """One more than is set is refused, and nothing is stored."""
        self.ask(batched(b"1", b"2", b"3"))
        end = self.store.commit_log_max
        self.refused(13, "maxBatchMessages", batched(b"1", b"2", b"3", b"4"))
        self.assertEqual(self.store.commit_log_max, end)
