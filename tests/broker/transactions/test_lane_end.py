"""Tests of rocketmq_tw.broker.transactions.lane_end: half messages that are read."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.transactions.lane_end import read
from rocketmq_tw.broker.transactions.stored import read_half
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import TAGS, WAIT
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.wire.record import Draft, encode
from tests.broker.cases import HOST, TOPIC
from tests.broker.transactions.cases import PRODUCERS, TransactionCase, half

TEXT = (
    f"TRAN_MSG\x01true\x02PGROUP\x01{PRODUCERS}\x02REAL_TOPIC\x01T\x02REAL_QID\x013\x02"
)


class ReadTests(TransactionCase):
    """The record of a half message, read without decoding it."""

    @property
    def queue(self) -> ConsumeQueue:
        """That of half messages."""
        queue: ConsumeQueue = self.store._queues.find(TRANS_HALF_TOPIC, 0)
        return queue

    def record(self, text: str = TEXT, **fields: Any) -> bytes:
        """Encode a half message."""
        values: dict[str, Any] = {
            "topic": TRANS_HALF_TOPIC.encode(),
            "queue_id": 0,
            "flag": 7,
            "sys_flag": 0,
            "born_time_ms": 5,
            "born_host": HOST,
            "body": b"Hello",
            "properties": text.encode(),
        }
        return encode(Draft(**values | fields), 12, 3456, 99, HOST)

    def test_like_decoded(self) -> None:
        """It has what the decoded record has."""
        before = self.store.commit_log_max
        self.now(half(more={TAGS: "A", WAIT: "true"}, flag=3, reconsume_times=2))
        record = self.store.record_at(before)
        expected, found = read_half(record), read(record, self.queue)
        assert found is not None
        message = expected.message
        self.assertEqual(found.commit_log_offset, message.commit_log_offset)
        self.assertEqual(found.queue_offset, message.queue_offset)
        self.assertEqual((found.topic.decode(), found.named_queue), (TOPIC, 2))
        self.assertEqual((found.group, found.body), (PRODUCERS, b"Hello"))
        draft = expected.committed()
        self.assertEqual(
            (found.flag, found.sys_flag, found.born_time_ms, found.tags_code),
            (draft.flag, expected.sys_flag, draft.born_time_ms, draft.tags_code),
        )
        self.assertEqual(found.born_host, draft.born_host)
        self.assertEqual(found.reconsume_times, draft.reconsume_times)
        self.assertEqual(found.properties, expected.text)

    def test_left(self) -> None:
        """What its handler must look at."""
        self.prepare()
        self.assertIsNotNone(read(self.record(), self.queue))
        v6 = host_to_bytes("::1", 1)
        for record in (
            self.record(TEXT[:-1]),
            self.record(TEXT.replace("\x01T\x02", f"\x01{TRANS_HALF_TOPIC}\x02")),
            self.record(TEXT.replace("\x01T\x02", "\x01\x02")),
            self.record(TEXT.replace("REAL_TOPIC", "REAL_TOPIX")),
            self.record(TEXT.replace("\x013", "\x01-3")),
            self.record(TEXT.replace("\x013", "\x01\u0663")),
            self.record(TEXT.replace("\x013", "\x01")),
            self.record(TEXT.replace("PGROUP", "PGROUX")),
            self.record(TEXT + "TAGS\x01\x02"),
            self.record(TEXT + f"TAGS\x01{'t' * 65}\x02"),
            self.record(TEXT + "TRAN_PREPARED_QUEUE_OFFSET\x011\x02"),
            self.record(TEXT + "CHECK_IMMUNITY_TIME_IN_SECONDS\x011\x02"),
            self.record(TEXT + "__halfStoredMs\x011\x02"),
            self.record(born_host=v6, sys_flag=sysflag.BORN_HOST_V6),
            self.record(topic=b"Other"),
            self.record() + b"more",
        ):
            self.assertIsNone(read(record, self.queue), record)
