"""Tests of the properties text."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.properties import (
    decode,
    encode,
    find,
    last_value,
    whole_number,
)

_texts = st.text(
    st.characters(exclude_characters="\x01\x02", exclude_categories=["Cs"]), min_size=1
)
#: Names, cut names and both separators, in any order.
_pieces = st.sampled_from(["TAGS", "AGS", "KEYS", "a", "", "\x01", "\x02", "\x02"])


def naive(text: str) -> dict[str, str]:
    """Read a text character by character."""
    table: dict[str, str] = {}
    name, value, is_value = "", "", False
    for char in f"{text}\x02":
        if char == "\x02":
            if is_value and name and value:
                table[name] = value
            name, value, is_value = "", "", False
        elif char == "\x01" and not is_value:
            is_value = True
        elif is_value:
            value += char
        else:
            name += char
    return table


class PropertiesTests(SynchronousTestCase):
    """Properties and their text."""

    def test_every_pair_is_ended(self) -> None:
        """The last pair has its separator too."""
        self.assertEqual(encode({"a": "1", "b": "2"}), "a\x011\x02b\x012\x02")

    def test_last_separator_may_be_missing(self) -> None:
        """Old peers leave it out."""
        self.assertEqual(decode("a\x011\x02b\x012"), {"a": "1", "b": "2"})

    def test_malformed_pairs_are_skipped(self) -> None:
        """Empty names, empty values and stray text do no harm."""
        self.assertEqual(
            decode("\x02x\x02\x01v\x02n\x01\x02ok\x01v\x01w\x02"), {"ok": "v\x01w"}
        )

    def test_find_takes_whole_names(self) -> None:
        """A name that ends like the wanted one is passed over."""
        text = "XKEYS\x01no\x02KEYS\x01k1 k2\x02TAGS\x01TagA"
        self.assertEqual(find(text, "KEYS"), "k1 k2")
        self.assertEqual(find(text, "TAGS"), "TagA")
        self.assertEqual(find(text, "XKEYS"), "no")
        self.assertIsNone(find(text, "EYS"))

    def test_last_value(self) -> None:
        """Of a text and of bytes: the last one, an empty one too, of a whole name."""
        marked = "\x02TAGS\x01a\x02XKEYS\x01b\x02TAGS\x01c\x02A\x01\x02"
        for name, expected in (("TAGS", "c"), ("A", ""), ("KEYS", None), ("B", None)):
            start = f"\x02{name}\x01"
            self.assertEqual(last_value(marked, start, "\x02"), expected)
            raw = None if expected is None else expected.encode()
            found = last_value(marked.encode(), start.encode(), b"\x02")
            self.assertEqual(found, raw)

    def test_whole_number(self) -> None:
        """Only digits of ASCII, and so many at most."""
        for text, number in (("0", 0), ("007", 7), ("1234", 1234)):
            self.assertEqual(whole_number(text, 4), number)
        for text in ("", "-1", "+1", " 1", "1.5", "12345", "\u0661", "\u00b2"):
            self.assertIsNone(whole_number(text, 4), text)

    def test_the_last_of_two_counts(self) -> None:
        """As in a Java map; an empty value is none at all."""
        text = "a\x011\x02b\x012\x02a\x013\x02b\x01\x02"
        self.assertEqual(find(text, "a"), "3")
        self.assertEqual(find(text, "b"), "2")
        self.assertEqual(decode(text), {"a": "3", "b": "2"})

    @settings(deadline=None)
    @given(st.dictionaries(_texts, _texts))
    def test_round_trip(self, properties: dict[str, str]) -> None:
        """What is written is read, as a whole and one by one."""
        text = encode(properties)
        self.assertEqual(decode(text), properties)
        for name, value in properties.items():
            self.assertEqual(find(text, name), value)

    @settings(deadline=None, max_examples=300)
    @given(st.lists(_pieces, max_size=16).map("".join))
    def test_any_text(self, text: str) -> None:
        """Whatever the text, whole and single reads find what a naive reader finds."""
        expected = naive(text)
        self.assertEqual(decode(text), expected)
        for name in ("TAGS", "AGS", "KEYS", "a", "TAGSa"):
            self.assertEqual(find(text, name), expected.get(name))
