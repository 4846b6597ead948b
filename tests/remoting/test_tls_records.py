"""Records of TLS in pieces of any size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.tls_records import Records


def record(size: int) -> bytes:
    """Make a record."""
    return b"\x17\x03\x03" + size.to_bytes(2, "big") + bytes(size)


class RecordTests(SynchronousTestCase):
    """How many end in each piece."""

    def test_whole(self) -> None:
        """One, several, and an empty one."""
        records = Records()
        self.assertEqual(records.feed(record(100)), 1)
        self.assertEqual(records.feed(record(1) + record(0) + record(16384)), 3)
        self.assertEqual(records.feed(b""), 0)

    def test_byte_by_byte(self) -> None:
        """Each is counted with its last byte."""
        records = Records()
        counts = [records.feed(bytes([byte])) for byte in record(3) + record(0)]
        self.assertEqual(counts, [0] * 7 + [1] + [0] * 4 + [1])

    @given(
        st.lists(st.integers(0, 70), max_size=20),
        st.lists(st.integers(1, 50), min_size=1, max_size=20),
    )
    def test_pieces(self, sizes: list[int], cuts: list[int]) -> None:
        """Cut anywhere, all of them are counted, and none before its end."""
        data = b"".join(map(record, sizes))
        ends = [sum(5 + size for size in sizes[: n + 1]) for n in range(len(sizes))]
        records, at, counted, turn = Records(), 0, 0, 0
        while at < len(data):
            piece = data[at : at + cuts[turn % len(cuts)]]
            counted += records.feed(piece)
            at, turn = at + len(piece), turn + 1
            self.assertEqual(counted, sum(end <= at for end in ends))
