"""Parts of records, as an oracle of what decodes them in one pass."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.msgid import host_to_text
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import MalformedRecord, decode
from rocketmq_tw.wire.record_layout import HEAD, PREFIX
from rocketmq_tw.wire.record_parts import Mismatch, Parts, each_record, split
from tests.wire.test_record import GOLDEN, GOLDEN_T


def parts_of(record: bytes) -> Parts | None:
    """Split a record; None if it cannot be."""
    size, magic = PREFIX.unpack_from(record)
    try:
        return split(record, 0, size, magic, HEAD.unpack_from(record)[7])
    except (Mismatch, struct.error, IndexError):
        return None


def message_of(record: bytes) -> StoredMessage | None:
    """Decode a record; None if it cannot be."""
    try:
        return decode(record, inflate=lambda body, _: body)
    except MalformedRecord:
        return None


class SplitTests(SynchronousTestCase):
    """Whatever a record looks like, both say the same."""

    def check(self, record: bytes) -> None:
        """Compare the parts of a record with the message."""
        parts, message = parts_of(record), message_of(record)
        if parts is None or message is None:
            self.assertIs(message, parts)
            return
        self.assertEqual(message.body, bytes(parts.body))
        self.assertEqual(message.topic, str(parts.topic, "utf-8", "replace"))
        self.assertEqual(
            message.properties,
            properties.decode(str(parts.properties, "utf-8", "replace")),
        )
        self.assertEqual(message.born_host, host_to_text(parts.born_host))
        self.assertEqual(message.store_host, host_to_text(parts.store_host))
        self.assertEqual(message.store_time_ms, parts.store_time_ms)
        self.assertEqual(message.reconsume_times, parts.reconsume_times)
        self.assertEqual(message.prepared_transaction_offset, parts.prepared_offset)

    def test_every_byte(self) -> None:
        """Each byte of two records takes some values that matter."""
        for golden in (GOLDEN, GOLDEN_T):
            for at in range(len(golden)):
                for value in (0, 1, 2, 0x10, 0x20, 0x30, 0x7F, 0x80, 0xAB, 0xFF):
                    self.check(golden[:at] + bytes([value]) + golden[at + 1 :])

    def test_cut(self) -> None:
        """It is cut at any byte, or followed by another."""
        for cut in range(PREFIX.size, len(GOLDEN) + 1):
            record = GOLDEN[:cut]
            if cut < HEAD.size:
                self.assertIsNone(message_of(record))
            else:
                self.check(record)
        self.check(GOLDEN + GOLDEN_T)

    def test_each(self) -> None:
        """Records of different sizes, back to back."""
        records = [GOLDEN, GOLDEN_T, GOLDEN]
        self.assertEqual(list(each_record(b"".join(records))), records)
        self.assertEqual(list(each_record(b"")), [])
