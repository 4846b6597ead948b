"""Tests of rocketmq_tw.broker.transactions.stored."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.stored import (
    STORED_MS,
    HalfMessage,
    read_half,
    without_half,
)
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TAGS,
    TRAN_MSG,
    TRANSACTION_CHECK_TIMES,
    TRANSACTION_ID,
    WAIT,
)
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.wire.record import MalformedRecord, decode
from tests.broker.cases import HOST, TOPIC
from tests.broker.transactions.cases import TransactionCase, half


class StoredTests(TransactionCase):
    """What is made of a half message."""

    def record(self, **fields: object) -> bytes:
        """Send a half message, and read its record."""
        before: int = self.store.commit_log_max
        self.now(half(more={TAGS: "A"}, **fields))
        record: bytes = self.store.record_at(before)
        return record

    def test_committed(self) -> None:
        """As RocketMQ 5.5 makes it."""
        record = self.record(born_timestamp=1_700_000_000_000, flag=7)
        draft = read_half(record).committed()
        self.assertEqual((draft.topic, draft.queue_id), (TOPIC.encode(), 2))
        self.assertEqual(draft.sys_flag & sysflag.TRANSACTION_MASK, sysflag.COMMIT)
        self.assertEqual(draft.prepared_offset, decode(record).commit_log_offset)
        self.assertEqual((draft.born_time_ms, draft.flag), (1_700_000_000_000, 7))
        self.assertEqual((draft.born_host, draft.body), (HOST, b"Hello"))
        self.assertEqual(draft.tags_code, java_hash("A"))
        text = draft.properties.decode()
        for name in (TRAN_MSG, TRANSACTION_ID, PGROUP, TAGS):
            self.assertIn(f"{name}\x01", text)
        for name in (REAL_TOPIC, REAL_QUEUE_ID):
            self.assertNotIn(name, text)

    def test_compressed(self) -> None:
        """A compressed body is not touched."""
        flag = sysflag.PREPARED | sysflag.COMPRESSED | sysflag.COMPRESSION_ZLIB
        draft = read_half(self.record(sys_flag=flag, body=b"not zlib")).committed()
        self.assertEqual(draft.body, b"not zlib")
        self.assertEqual(draft.sys_flag, flag & ~sysflag.PREPARED | sysflag.COMMIT)

    def test_question(self) -> None:
        """The record for its producer is of the topic that it is meant for."""
        record = self.record()
        stored = decode(record)
        asked = decode(read_half(record).question(3))
        self.assertEqual((asked.topic, asked.queue_id), (TOPIC, 2))
        self.assertEqual(asked.queue_offset, stored.queue_offset)
        self.assertEqual(asked.commit_log_offset, stored.commit_log_offset)
        self.assertEqual(asked.store_time_ms, stored.store_time_ms)
        self.assertEqual(host_to_bytes("10.0.0.1", 10911), self.broker.store_host)
        self.assertEqual(asked.store_host, stored.store_host)
        self.assertEqual(asked.properties[TRANSACTION_CHECK_TIMES], "3")
        self.assertEqual(asked.properties[WAIT], "false")
        self.assertEqual(asked.properties[REAL_TOPIC], TOPIC)

    def test_given_up(self) -> None:
        """The copy for operators has all properties."""
        draft = read_half(self.record()).given_up(15)
        self.assertEqual(
            (draft.topic, draft.queue_id), (b"TRANS_CHECK_MAX_TIME_TOPIC", 0)
        )
        text = draft.properties.decode()
        self.assertIn(f"{TRANSACTION_CHECK_TIMES}\x0115\x02", text)
        self.assertIn(f"{REAL_TOPIC}\x01{TOPIC}\x02", text)

    def test_as_sent(self) -> None:
        """Another broker gets what this one got, also of a copy."""
        half = read_half(self.record())
        for draft in (half.as_sent(), self.copy_of(half).as_sent()):
            self.assertEqual((draft.topic, draft.queue_id), (TOPIC.encode(), 2))
            kind = draft.sys_flag & sysflag.TRANSACTION_MASK
            self.assertEqual(kind, sysflag.PREPARED)
            text = draft.properties.decode()
            self.assertIn(f"{TRAN_MSG}\x01true\x02", text)
            for name in (REAL_TOPIC, REAL_QUEUE_ID, STORED_MS, "TRAN_PREPARED"):
                self.assertNotIn(name, text)

    def copy_of(self, half: HalfMessage) -> HalfMessage:
        """Store a half message once more."""
        at = self.store.put(half.moved(2), self.clock.wall_seconds()).commit_log_offset
        return read_half(self.store.record_at(at))

    def test_of_another_form(self) -> None:
        """A record that is meant for no topic is refused."""
        record = self.record()
        for name, value in ((REAL_QUEUE_ID, b"2"), (REAL_TOPIC, TOPIC.encode())):
            damaged = record.replace(
                name.encode() + b"\x01" + value, name.encode() + b"\x01" + b"\xff"
            )
            self.assertRaises(MalformedRecord, read_half, damaged)
        self.assertRaises(MalformedRecord, read_half, record[:-1])


class WithoutHalfTests(SynchronousTestCase):
    """The properties of the committed message."""

    def test_cut(self) -> None:
        """Two or three are cut, wherever they are; the others are left as they are."""
        for text, expected in (
            (b"", b""),
            (b"A\x01b\x02", b"A\x01b\x02"),
            (b"A\x01b", b"A\x01b\x02"),
            (b"REAL_TOPIC\x01T\x02A\x01b\x02", b"A\x01b\x02"),
            (b"A\x01b\x02REAL_QID\x013\x02REAL_TOPIC\x01T", b"A\x01b\x02"),
            (b"__halfStoredMs\x013\x02", b""),
            (b"REAL_QID\x01\x02REAL_QID\x013\x02A\x01b\x02", b"A\x01b\x02"),
            (b"XREAL_QID\x013\x02A\x01REAL_TOPIC\x02", None),
            (b"A\x01\xff\x02A\x01b\x02broken\x02", None),
        ):
            found = without_half(text)
            self.assertEqual(found, text if expected is None else expected)
