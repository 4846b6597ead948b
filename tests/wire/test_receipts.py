"""Tests of rocketmq_tw.wire.receipts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.receipts import (
    MAX_LENGTH,
    NORMAL,
    RETRY_V1,
    RETRY_V2,
    Receipt,
    encode_offsets,
    encode_starts,
    parse_offsets,
    parse_receipt,
    parse_starts,
    real_topic,
    retry_mark,
)
from tests.fuzz.cost import measure

#: As Apache RocketMQ's class writes it.
TEXT = "5 1700000000000 60000 3 2 b1 0 9"
RECEIPT = Receipt(5, 1700000000000, 60000, 3, 2, "b1", 0, 9)


class ReceiptTests(SynchronousTestCase):
    """Receipts are Apache RocketMQ's."""

    def test_golden(self) -> None:
        """A receipt of its own class is read, and written again."""
        self.assertEqual(parse_receipt(TEXT), RECEIPT)
        self.assertEqual(RECEIPT.encode(), TEXT)

    def test_more_items(self) -> None:
        """Proxies add items; they are ignored."""
        self.assertEqual(parse_receipt(TEXT + " 17 topic"), RECEIPT)

    def test_malformed(self) -> None:
        """What lacks an item, has text for a number or is too long is refused."""
        texts = ("", " ", "5 6", TEXT[:-2], TEXT.replace("60000", "6e4"), "5" * 9)
        for text in (*texts, TEXT.replace("5", "5" * 30), TEXT + " " + "x" * 9000):
            error = self.assertRaises(BadField, parse_receipt, text)
            self.assertIn("extraInfo", str(error))

    def test_topics(self) -> None:
        """The mark says which topic was read."""
        for mark, topic in (
            (NORMAL, "T"),
            (RETRY_V1, "%RETRY%G_T"),
            (RETRY_V2, "%RETRY%G+T"),
        ):
            self.assertEqual(retry_mark(topic), mark)
            self.assertEqual(real_topic("T", "G", mark), topic)

    def test_lists(self) -> None:
        """Both lists have one entry for each queue of each topic."""
        self.assertEqual(
            parse_starts("0 0 5;1 0 7;2 1 9"), {(0, 0): 5, (1, 0): 7, (2, 1): 9}
        )
        self.assertEqual(
            parse_offsets("0 0 5,6,9;1 0 7"), {(0, 0): [5, 6, 9], (1, 0): [7]}
        )
        self.assertEqual(encode_starts(2, 1, 9), "2 1 9")
        self.assertEqual(encode_offsets(0, 0, range(5, 8)), "0 0 5,6,7")
        self.assertEqual(parse_starts(None), {})
        self.assertEqual(parse_offsets(""), {})

    def test_malformed_lists(self) -> None:
        """An entry that has not three parts is refused, or is there twice."""
        for text in ("0 0", "0 0 1;0 0 2", "a 0 1", "0 0 1 2", ";", "0 0 x"):
            self.assertRaises(BadField, parse_starts, text)
            self.assertRaises(BadField, parse_offsets, text)

    def test_work_is_linear(self) -> None:
        """The longest texts cost what their length costs."""
        for text in ("1" * 100_000, " " * 100_000, ";" * 100_000, "0 0 1," * 9000):
            for parse in (parse_receipt, parse_starts, parse_offsets):

                def run(text: str = text, parse: object = parse) -> None:
                    try:
                        parse(text)  # type: ignore[operator]
                    except BadField:
                        pass

                self.assertLess(measure(run)[0].work, 100 * len(text))
        self.assertLess(len(RECEIPT.encode()), MAX_LENGTH)

    @given(
        st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=7, max_size=7),
        st.text("abcXYZ019_-.", min_size=1, max_size=100),
    )
    def test_round_trip(self, numbers: list[int], name: str) -> None:
        """What was written is read."""
        one, two, three, four, five, six, seven = numbers
        made = Receipt(one, two, three, four, five, name, six, seven)
        self.assertEqual(parse_receipt(made.encode()), made)
