"""Records and slots, byte by byte."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.store.timer.layout import (
    DELETE,
    PLAIN,
    ROLL,
    SLOT,
    SLOTS,
    WHEEL_SIZE,
    Link,
    decode_link,
    is_end,
)
from rocketmq_tw.store.timer.wheel import TimerWheel
from tests.store.timer.cases import encode

#: What a broker of Apache RocketMQ wrote.
RECORD = bytes.fromhex(
    "00000034"  # size
    "ffffffffffffffff"  # no record before it
    "00000001"  # flags
    "000001a219f8bb48"  # written
    "00000fa0"  # 4 s before its slot
    "00000000000003c0"  # commit log offset
    "00000108"  # size there
    "00000a5d"  # hash of T1
    "0000000000000000"
)


class RecordTests(SynchronousTestCase):
    """A record of the timer's log."""

    link = Link(-1, PLAIN, 1_795_732_061_000, 4000, 960, 264, java_hash("T1"))

    def test_golden(self) -> None:
        """It has the bytes that another broker writes."""
        self.assertEqual(encode(self.link), RECORD)
        self.assertEqual(decode_link(RECORD), self.link)
        self.assertEqual(self.link.slot_ms, 1_795_732_065_000)

    def test_within_others(self) -> None:
        """It is read where it begins, with bytes after it."""
        self.assertEqual(decode_link(b"xx" + RECORD + b"yy", 2), self.link)

    def test_none(self) -> None:
        """Zeros, a part of one, another size and unknown flags are none."""
        for size in range(len(RECORD)):
            self.assertIsNone(decode_link(RECORD[:size]))
        self.assertIsNone(decode_link(bytes(52)))
        self.assertIsNone(decode_link(b"\0\0\0\x35" + RECORD[4:]))
        for flags in (0, 2, 16, 17):
            self.assertIsNone(
                decode_link(RECORD[:12] + flags.to_bytes(4, "big") + RECORD[16:])
            )

    def test_flags(self) -> None:
        """All that brokers combine are read."""
        for flags in (PLAIN, PLAIN | ROLL, PLAIN | DELETE, PLAIN | ROLL | DELETE):
            data = RECORD[:12] + flags.to_bytes(4, "big") + RECORD[16:]
            found = decode_link(data)
            assert found is not None
            self.assertEqual(found.flags, flags)

    def test_end_of_file(self) -> None:
        """Where no record fits, 16 bytes say so."""
        end = bytes.fromhex("00000010 0000000000000000 cbd43194")
        self.assertTrue(is_end(end))
        self.assertFalse(is_end(end[:15]))
        self.assertFalse(is_end(RECORD))


class WheelSizeTests(SynchronousTestCase):
    """The whole wheel."""

    def test_size(self) -> None:
        """It is as long as that of another broker, with the same index of a time."""
        self.assertEqual((SLOT.size, WHEEL_SIZE), (32, 38_707_200))
        buffer = bytearray(WHEEL_SIZE)
        wheel = TimerWheel(buffer)
        found = bytes.fromhex("000000006b08b261 0000000000000034 0000000000000034")
        at = 685_665 * 32
        buffer[at : at + 32] = found + bytes.fromhex("00000001 00000000")
        slot = wheel.get(1_795_732_065_000)
        assert slot is not None
        self.assertEqual((slot.first, slot.last, slot.count), (52, 52, 1))
        self.assertEqual(1_700_000_000 % SLOTS, 512_000)
