"""The bytes of replication, as they are on the wire."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.frames import (
    HEADER,
    MAX_BODY,
    MalformedTransfer,
    ReportDecoder,
    TransferDecoder,
    encode_report,
    encode_transfers,
)


def whole(data: bytes, decoder: TransferDecoder | None = None) -> list[object]:
    """Return the pieces that a decoder gives, as bytes."""
    pieces = (decoder or TransferDecoder()).feed(data)
    return [(position, bytes(piece)) for position, piece in pieces]


class ReportTests(SynchronousTestCase):
    """What a slave sends."""

    def test_golden(self) -> None:
        """Eight bytes."""
        self.assertEqual(encode_report(0x400000B0), bytes.fromhex("00000000400000b0"))

    def test_newest_counts(self) -> None:
        """Of several in one read."""
        data = b"".join(map(encode_report, (1, 2, 3)))
        self.assertEqual(ReportDecoder().feed(data), 3)

    def test_byte_by_byte(self) -> None:
        """A report counts when its last byte is there."""
        decoder = ReportDecoder()
        data = encode_report(5) + encode_report(7)
        found = [decoder.feed(data[at : at + 1]) for at in range(16)]
        self.assertEqual(found, [None] * 7 + [5] + [None] * 7 + [7])

    def test_negative(self) -> None:
        """No log ends there."""
        with self.assertRaises(MalformedTransfer) as caught:
            ReportDecoder().feed(b"\xff" * 8)
        self.assertIn("offset -1", str(caught.exception))


class TransferTests(SynchronousTestCase):
    """What a master sends."""

    def test_golden(self) -> None:
        """A heartbeat, and bytes of the log."""
        heartbeat = bytes.fromhex("00000000400000b000000000")
        self.assertEqual(encode_transfers(0x400000B0, b"", 10), heartbeat)
        data = bytes.fromhex("0000000000000100 00000003 616263")
        self.assertEqual(encode_transfers(256, b"abc", 10), data)
        self.assertEqual(whole(data + heartbeat), [(256, b"abc"), (0x400000B0, b"")])

    def test_batches(self) -> None:
        """No transfer is larger than the limit; each says where it begins."""
        data = encode_transfers(100, b"abcdefgh", 3)
        expected = [(100, b"abc"), (103, b"def"), (106, b"gh")]
        self.assertEqual(whole(data), expected)
        self.assertEqual(len(data), 3 * HEADER.size + 8)

    @given(
        st.lists(st.binary(max_size=20), max_size=5),
        st.lists(st.integers(1, 9), min_size=1),
    )
    def test_however_it_comes(self, bodies: list[bytes], steps: list[int]) -> None:
        """Pieces continue each other, and say where they stand."""
        data, position = b"", 7
        for body in bodies:
            data += encode_transfers(position, body, 100)
            position += len(body)
        decoder, at, count, found = TransferDecoder(), 0, 0, b""
        while at < len(data):
            step = steps[count % len(steps)]
            for position, piece in decoder.feed(data[at : at + step]):
                self.assertEqual(position, 7 + len(found))
                found += piece
            at += step
            count += 1
        self.assertEqual(found, b"".join(bodies))

    def test_impossible_sizes(self) -> None:
        """They are refused before a byte of a body is taken."""
        for position, size in ((0, -1), (0, MAX_BODY + 1), (-1, 5)):
            data = HEADER.pack(position, size) + b"x" * 100
            with self.assertRaises(MalformedTransfer):
                whole(data)
        self.assertEqual(whole(HEADER.pack(0, MAX_BODY)), [])
