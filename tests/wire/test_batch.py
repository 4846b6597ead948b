"""Tests of batch bodies."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.batch import (
    _FIXED,
    MAX_ITEMS,
    MalformedBatch,
    encode,
    parts,
    split,
)

GOLDEN = bytes.fromhex(
    "0000002f"  # item size
    "00000000"  # magic
    "00000000"  # body CRC
    "00000000"  # flag
    "00000005"  # body length
    "68656c6c6f"  # hello
    "0014"  # properties length
    "5741495401747275650254414753015461674102"  # WAIT=true, TAGS=TagA
)


class BatchTests(SynchronousTestCase):
    """Many messages in one body."""

    def test_is_the_original_s(self) -> None:
        """Apache RocketMQ's item is written and read."""
        text = "WAIT\x01true\x02TAGS\x01TagA\x02"
        self.assertEqual(encode([(0, b"hello", text)]), GOLDEN)
        self.assertEqual(split(GOLDEN), [(0, b"hello", text.encode())])

    def test_cut_items_are_refused(self) -> None:
        """Cut at any byte of the second item, the offset of that item is named."""
        for cut in range(1, len(GOLDEN)):
            error = self.assertRaises(MalformedBatch, split, GOLDEN + GOLDEN[:cut])
            self.assertEqual(error.at, len(GOLDEN))

    def test_lengths_must_add_up(self) -> None:
        """A body length beyond the item, or a short one, is refused."""
        for length in (b"\x7f\0\0\0", b"\0\0\0\4", b"\xff\xff\xff\xff"):
            self.assertRaises(MalformedBatch, split, GOLDEN[:16] + length + GOLDEN[20:])

    def test_long_properties_are_refused(self) -> None:
        """Their length has 15 bits."""
        self.assertRaises(MalformedBatch, encode, [(0, b"", "x" * 32768)])
        longest = encode([(0, b"", "x" * 32767)])
        self.assertEqual(len(split(longest)[0].properties), 32767)
        size = (_FIXED + 32768).to_bytes(4, "big")
        too_long = size + longest[4:20] + b"\x80\0" + b"x" * 32768
        error = self.assertRaises(MalformedBatch, split, too_long)
        self.assertIn("32768 bytes of properties", error.why)

    def test_items_are_read_one_by_one(self) -> None:
        """Nothing is read ahead, and nothing is kept."""
        found = parts(GOLDEN + b"damaged")
        self.assertEqual(next(found)[:2], (0, b"hello"))
        self.assertRaises(MalformedBatch, next, found)

    def test_many_items_are_refused(self) -> None:
        """Reading stops at the first item beyond the limit."""
        three = GOLDEN * 3
        self.assertEqual(len(split(three, 3)), 3)
        error = self.assertRaises(MalformedBatch, split, three + b"never read", 2)
        self.assertEqual(error.at, 2 * len(GOLDEN))
        empty = encode([(0, b"", "")])
        error = self.assertRaises(MalformedBatch, split, empty * 190_650)
        self.assertEqual(error.at, MAX_ITEMS * len(empty))

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 9), st.binary(), st.text(max_size=9))))
    def test_round_trip(self, items: list[tuple[int, bytes, str]]) -> None:
        """What is written is read."""
        self.assertEqual(
            split(encode(items)), [(flag, body, p.encode()) for flag, body, p in items]
        )
