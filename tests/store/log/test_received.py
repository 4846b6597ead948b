"""Finding records in the bytes of a master's log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.log.received import is_incomplete, scan, usual
from rocketmq_tw.wire.record import Checked, check, encode
from tests.store.cases import NOW, draft

HOST = b"\x7f\0\0\1\0\0\x2a\x9f"
V6_HOST = bytes(16) + b"\0\0\x2a\x9f"


def record(
    at: int, body: bytes = b"Hello", host: bytes = HOST, **more: object
) -> bytes:
    """Encode a record for an offset."""
    return encode(draft(body, **more), 0, at, int(NOW * 1000), host)


class UsualTests(SynchronousTestCase):
    """The short way and the general one agree."""

    @given(
        st.binary(max_size=40),
        st.binary(max_size=30),
        st.integers(0, 200),
        st.integers(0, 255),
    )
    def test_agrees(self, body: bytes, text: bytes, at: int, change: int) -> None:
        """On whole records, changed ones and cut ones."""
        data = bytearray(record(0, body, properties=text))
        data[at % len(data)] ^= change
        for limit in (len(data), len(data) - 1, at % len(data)):
            whole = check(bytes(data), 0, limit, True)
            found = usual(bytes(data), 0, limit)
            if found is not None:
                self.assertEqual(found, whole)

    def test_is_taken(self) -> None:
        """By records as they usually are."""
        data = record(0)
        self.assertEqual(usual(data, 0, len(data)), check(data, 0, len(data), True))
        self.assertIsNone(usual(record(0, host=V6_HOST), 0, 1000))


class ScanTests(SynchronousTestCase):
    """Records, blanks, and what is neither."""

    def test_wide(self) -> None:
        """Records with long topics or IPv6 hosts are found too."""
        first = record(0, host=V6_HOST)
        second = record(len(first), topic=b"T" * 200)
        received = scan(first + second, 0, 1000)
        self.assertEqual([at for at, _ in received.records], [0, len(first)])
        self.assertEqual((received.end, received.damage), (len(first + second), None))
        self.assertIsInstance(received.records[1][1], Checked)

    def test_blank(self) -> None:
        """It must end where our file ends."""
        first = record(0)
        left = 300 - len(first)
        blank = left.to_bytes(4, "big") + bytes.fromhex("cbd43194")
        data = first + blank + bytes(left - 8)
        self.assertEqual(scan(data + record(300), 0, 300).end, 300 + len(first))
        self.assertEqual(scan(data[:-1], 0, 300).end, len(first))
        damage = scan(data, 0, 301).damage
        self.assertEqual(
            damage, f"its file ends after {left} bytes, ours after {left + 1}"
        )

    def test_damage(self) -> None:
        """What stands before it is found."""
        first = record(0)
        for rest, said in (
            (b"x" * 100, "there is no record"),
            (record(0), "its record is one for 0"),
            (record(len(first))[:-1] + b"\0\0" * 50, "there is no record"),
        ):
            received = scan(first + rest, 0, 1000)
            self.assertEqual(received.end % len(first), 0)
            self.assertIn(said, str(received.damage))

    def test_incomplete(self) -> None:
        """A record whose rest is missing, and nothing else."""
        data = record(0)
        self.assertTrue(is_incomplete(data[:7], 7))
        self.assertTrue(is_incomplete(data[:8], len(data) - 1))
        self.assertFalse(is_incomplete(data[:8], len(data)))
        self.assertFalse(is_incomplete(b"garbage!", 8))
