"""Tests of records."""

import zlib

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire.record import (
    BLANK,
    INVALID,
    MAGIC_V2,
    Checked,
    Draft,
    MalformedRecord,
    check,
    decode,
    decode_all,
    encode,
)

GOLDEN = bytes.fromhex(
    "0000007b"  # total size
    "daa320a7"  # magic
    "77d18982"  # body CRC
    "00000003"  # queue id
    "00000000"  # flag
    "0000000000000007"  # queue offset
    "0000000040000000"  # commit log offset
    "00000000"  # sys flag
    "0000018bcfe56800"  # born time
    "0a00000100009c40"  # born host
    "0000018bcfe56801"  # store time
    "0a00000200002a9f"  # store host
    "00000000"  # reconsume times
    "0000000000000000"  # prepared offset
    "0000000548656c6c6f"  # body
    "09546f70696354657374"  # topic
    "00124b455953016b310254414753015461674102"  # properties
)
GOLDEN_T = bytes.fromhex(
    "00000062daa320a758932aac000000030000000000000000000000070000000000000064000000"
    "000000000000000001010203040000000500000000000000020607080900002a9f000000000000"
    "000000000000000000026869015400046b017602"
)
DRAFT = Draft(
    topic=b"TopicTest",
    queue_id=3,
    flag=0,
    sys_flag=0,
    born_time_ms=1700000000000,
    born_host=host_to_bytes("10.0.0.1", 40000),
    body=b"Hello",
    properties=b"KEYS\x01k1\x02TAGS\x01TagA\x02",
)
STORE_HOST = host_to_bytes("10.0.0.2", 10911)


def _encode(draft: Draft, store_host: bytes = STORE_HOST) -> bytes:
    """Write a record at the golden record's offsets."""
    return encode(draft, 7, 1 << 30, 1700000000001, store_host)


class EncodeTests(SynchronousTestCase):
    """Writing records."""

    def test_golden_record(self) -> None:
        """Apache RocketMQ's record comes out."""
        self.assertEqual(_encode(DRAFT), GOLDEN)

    def test_hosts_of_both_families(self) -> None:
        """Each IPv6 host adds 12 bytes and sets its bit; stale bits go."""
        six = host_to_bytes("2001:db8::1", 10911)
        for born, flag in ((DRAFT.born_host, 0), (six, 0x10)):
            for store, store_flag in ((STORE_HOST, 0), (six, 0x20)):
                draft = msgspec.structs.replace(
                    DRAFT, born_host=born, sys_flag=flag or 0x20
                )
                record = _encode(draft, store)
                message = decode(record)
                self.assertEqual(message.sys_flag, flag | store_flag)
                self.assertEqual(len(record), 123 + len(born) + len(store) - 16)
                self.assertEqual(message.body, b"Hello")

    def test_long_topics_get_the_second_magic(self) -> None:
        """From 128 bytes on the topic's length has two bytes."""
        for length in (127, 128, 255):
            record = _encode(msgspec.structs.replace(DRAFT, topic=b"t" * length))
            is_v2 = int.from_bytes(record[4:8], "big") == MAGIC_V2
            self.assertEqual(is_v2, length > 127)
            self.assertEqual(len(decode(record).topic), length)

    @settings(deadline=None)
    @given(
        st.builds(
            Draft,
            topic=st.binary(min_size=1, max_size=200),
            queue_id=st.integers(0, 99),
            flag=st.integers(-(1 << 31), (1 << 31) - 1),
            sys_flag=st.sampled_from([0, 4, 8]),
            born_time_ms=st.integers(0, 1 << 60),
            born_host=st.just(DRAFT.born_host),
            body=st.binary(),
            properties=st.binary(max_size=50),
            reconsume_times=st.integers(0, 16),
            prepared_offset=st.integers(0, 1 << 60),
        )
    )
    def test_round_trip(self, draft: Draft) -> None:
        """What is written is read."""
        message = decode(_encode(draft))
        self.assertEqual(message.body, draft.body)
        self.assertEqual(message.flag, draft.flag)
        self.assertEqual(message.born_time_ms, draft.born_time_ms)
        self.assertEqual(message.reconsume_times, draft.reconsume_times)
        self.assertEqual(message.prepared_transaction_offset, draft.prepared_offset)


class DecodeTests(SynchronousTestCase):
    """Reading records."""

    def test_reads_the_original_s(self) -> None:
        """Every field of Apache RocketMQ's record is read."""
        message = decode(GOLDEN)
        self.assertEqual(message.topic, "TopicTest")
        self.assertEqual(message.body, b"Hello")
        self.assertEqual((message.queue_id, message.queue_offset), (3, 7))
        self.assertEqual(message.commit_log_offset, 1 << 30)
        self.assertEqual(message.born_host, "10.0.0.1:40000")
        self.assertEqual(message.store_host, "10.0.0.2:10911")
        self.assertEqual(message.store_time_ms, 1700000000001)
        self.assertEqual(message.properties, {"KEYS": "k1", "TAGS": "TagA"})
        self.assertEqual((message.size, message.body_crc), (123, 2010220930))
        self.assertEqual(message.message_id, "0A00000200002A9F0000000040000000")

    def test_reads_them_one_after_another(self) -> None:
        """The body of a pull response is a row of records; a blank ends it."""
        messages = decode_all(GOLDEN_T + GOLDEN + bytes.fromhex("00000064cbd43194"))
        self.assertEqual([m.body for m in messages], [b"hi", b"Hello"])
        self.assertEqual(messages[0].properties, {"k": "v"})

    def test_cut_records_are_refused(self) -> None:
        """Cut at any byte, the offset of the record is named."""
        for cut in range(1, len(GOLDEN)):
            error = self.assertRaises(
                MalformedRecord, decode_all, GOLDEN_T + GOLDEN[:cut]
            )
            self.assertEqual(error.at, len(GOLDEN_T))

    def test_bodies_are_inflated(self) -> None:
        """A compressed body comes plain, and its bit is cleared."""
        draft = msgspec.structs.replace(
            DRAFT, body=zlib.compress(b"Hello"), sys_flag=0x301
        )
        message = decode(_encode(draft), inflate=lambda body, _: zlib.decompress(body))
        self.assertEqual((message.body, message.sys_flag), (b"Hello", 0x300))


class CheckTests(SynchronousTestCase):
    """Telling records from filler and damage."""

    def test_gives_the_facts(self) -> None:
        """Recovery learns what a consume queue entry needs."""
        data = b"??" + GOLDEN + b"??"
        found = check(memoryview(data), 2, len(data), True)
        assert isinstance(found, Checked)
        self.assertEqual((found.topic, found.queue_id), (b"TopicTest", 3))
        self.assertEqual((found.queue_offset, found.commit_log_offset), (7, 1 << 30))
        self.assertEqual((found.size, found.tags_code), (123, 2598919))
        self.assertEqual(found.store_time_ms, 1700000000001)

    def test_knows_filler(self) -> None:
        """A blank is one only when the file has the bytes it announces."""
        data = bytes.fromhex("00000064cbd43194").ljust(100, b"\0")
        self.assertIs(check(data, 0, 100, True), BLANK)
        self.assertIs(check(data, 0, 99, True), INVALID)

    def test_zeros_are_no_record(self) -> None:
        """The unwritten part of a file ends recovery."""
        self.assertIs(check(bytes(200), 0, 200, True), INVALID)
        self.assertIs(check(b"", 0, 0, True), INVALID)

    def test_cut_records_are_invalid(self) -> None:
        """No part of a record passes, whether the end is missing or zeros."""
        for cut in range(len(GOLDEN) - 1):
            self.assertIs(check(GOLDEN[:cut], 0, cut, True), INVALID)
            padded = GOLDEN[:cut].ljust(200, b"\0")
            found = check(padded, 0, 200, True)
            # The last 18 bytes are properties: no checksum covers them.
            self.assertTrue(found is INVALID or cut >= 105, cut)

    def test_the_checksum_counts_when_asked(self) -> None:
        """A changed body is found only with the checksum."""
        damaged = GOLDEN.replace(b"Hello", b"Jello")
        self.assertIs(check(damaged, 0, 123, True), INVALID)
        self.assertIsInstance(check(damaged, 0, 123, False), Checked)
