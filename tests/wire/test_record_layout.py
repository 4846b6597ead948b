"""Tests of the layout of records."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire import record_layout as layout

#: A record as Apache RocketMQ writes it, one field a line.
FIELDS = {
    "size": "00000062",
    "magic": "daa320a7",
    "body_crc": "58932aac",
    "queue_id": "00000003",
    "flag": "00000001",
    "queue_offset": "0000000000000007",
    "commit_log_offset": "0000000000000064",
    "sys_flag": "00000008",
    "born_time": "0000000000000001",
    "born_host": "0102030400000005",
    "store_time": "0000000000000002",
    "store_host": "0607080900002a9f",
    "reconsume_times": "00000009",
    "prepared_offset": "000000000000000a",
    "body_length": "00000002",
    "body": "6869",
    "topic": "0154",
    "properties": "00046b017602",
}
RECORD = bytes.fromhex("".join(FIELDS.values()))


def _offset(name: str) -> int:
    """Return where a field of the example begins."""
    names = list(FIELDS)
    return sum(len(FIELDS[each]) // 2 for each in names[: names.index(name)])


class OffsetTests(SynchronousTestCase):
    """Single fields."""

    def test_slices(self) -> None:
        """Each slice cuts its own field out of a record."""
        slices = {
            "size": layout.SIZE,
            "magic": layout.MAGIC,
            "body_crc": layout.BODY_CRC,
            "queue_id": layout.QUEUE_ID,
            "flag": layout.FLAG,
            "queue_offset": layout.QUEUE_OFFSET,
            "commit_log_offset": layout.COMMIT_LOG_OFFSET,
            "sys_flag": layout.SYS_FLAG,
            "born_time": layout.BORN_TIME,
        }
        for name, where in slices.items():
            self.assertEqual(RECORD[where].hex(), FIELDS[name], name)

    def test_offsets_under_ipv4(self) -> None:
        """What a host may move stands at its offset while both hosts are IPv4."""
        self.assertEqual(layout.BORN_HOST_AT, _offset("born_host"))
        self.assertEqual(layout.STORE_TIME_AT, _offset("store_time"))
        self.assertEqual(layout.STORE_HOST_AT, _offset("store_host"))
        self.assertEqual(layout.BODY_LENGTH_AT, _offset("body_length"))
        self.assertEqual(layout.BODY_AT, _offset("body"))

    def test_ipv6_hosts_move_what_follows(self) -> None:
        """Each IPv6 host moves by 12 bytes the fields behind it, and only those."""
        born, store = sysflag.BORN_HOST_V6, sysflag.STORE_HOST_V6
        for sys_flag, store_time, body in (
            (0, 56, 88),
            (born, 68, 100),
            (store, 56, 100),
            (born | store, 68, 112),
        ):
            self.assertEqual(layout.store_time_at(sys_flag), store_time)
            self.assertEqual(layout.body_at(sys_flag), body)

    def test_magics(self) -> None:
        """The magics as numbers and as bytes are those of files."""
        self.assertEqual(layout.MAGICS[0], RECORD[layout.MAGIC])
        self.assertEqual(layout.MAGICS[1].hex(), "daa320ab")
        self.assertEqual(layout.BLANK_MAGIC.hex(), "cbd43194")

    def test_sizes(self) -> None:
        """The fixed part is a record without body, topic and properties."""
        self.assertEqual(layout.FIXED_SIZE, len(RECORD) - 2 - 1 - 4)
        self.assertEqual(layout.BLANK_SIZE, 8)


class StructTests(SynchronousTestCase):
    """Several fields at once."""

    def test_head(self) -> None:
        """The head ends where the born host begins."""
        self.assertEqual(layout.HEAD.size, layout.BORN_HOST_AT)
        head = layout.HEAD.unpack_from(RECORD)
        self.assertEqual(head[3:], (3, 1, 7, 100, 8, 1))

    def test_head_with_ipv4_hosts(self) -> None:
        """The whole head ends where the body begins."""
        self.assertEqual(layout.HEAD_V4.size, layout.BODY_AT)
        head = layout.HEAD_V4.unpack_from(RECORD)
        self.assertEqual(head[-6:], (RECORD[48:56], 2, RECORD[64:72], 9, 10, 2))

    def test_tail(self) -> None:
        """The tail stands between the store host and the body."""
        at = layout.BODY_AT - layout.TAIL.size
        self.assertEqual(layout.TAIL.unpack_from(RECORD, at), (9, 10, 2))

    def test_what_the_index_reads(self) -> None:
        """The index reads sizes, system flag and store time, nothing else."""
        self.assertEqual(
            layout.INDEXED_V4.unpack_from(RECORD), (98, layout.MAGIC_V1, 8, 2, 2)
        )

    def test_what_verification_reads(self) -> None:
        """Verification reads what a consume queue entry can be compared with."""
        self.assertEqual(
            layout.VERIFIED.unpack_from(RECORD),
            (98, layout.MAGIC_V1, 0x58932AAC, 3, 7, 100, 8),
        )
