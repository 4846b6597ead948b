"""Tests of rocketmq_tw.wire.bodies.kvtable."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.kvtable import (
    MAX_TEXT,
    KVTable,
    decode_properties,
    encode_properties,
)
from rocketmq_tw.wire.errors import BadField
from tests.fuzz.cost import measure

TEXT = st.text(st.characters(codec="utf-8"))


class KVTableTests(SynchronousTestCase):
    """Tables of texts as JSON."""

    @given(st.dictionaries(TEXT, TEXT, max_size=5))
    def test_form(self, table: dict[str, str]) -> None:
        """It is that of all bodies."""
        body = KVTable(table)
        self.assertEqual(body.encode(), fastjson.dumps(body))
        self.assertEqual(KVTable.decode(body.encode()), body)

    def test_cost(self) -> None:
        """A large table costs next to nothing for each entry."""
        table = {f"topic-{number}": "broker-a:8" for number in range(10_000)}
        cost, _ = measure(KVTable(table).encode)
        self.assertLess(cost.work, len(table) // 4)


class PropertiesTests(SynchronousTestCase):
    """Java's .properties text is written and read."""

    def test_dump(self) -> None:
        """Lines are sorted, special characters escaped for Java's reader."""
        self.assertEqual(
            encode_properties({"b": "x=1", "a b": " lead", "u": "é\\\n"}),
            b"a\\ b=\\ lead\nb=x=1\nu=\\u00E9\\\\\\n\n",
        )

    def test_load(self) -> None:
        """Comments, separators, continued lines and escapes are Java's."""
        for text, expected in (
            ("", {}),
            ("# c\\\nk=v", {"k": "v"}),
            ("  ! c\r\nk : v", {"k": "v"}),
            ("k v w", {"k": "v w"}),
            ("k\n", {"k": ""}),
            ("a = b = c\n", {"a": "b = c"}),
            ("long = a,\\\n    b\n", {"long": "a,b"}),
            ("long = a,\\\r\n\tb\rx=1", {"long": "a,b", "x": "1"}),
            ("a\\=b\\ c=\\u00e9\\t\\q", {"a=b c": "é\tq"}),
            ("k=1\nk=2", {"k": "2"}),
            ("k=v \\\\\nl=w", {"k": "v \\", "l": "w"}),
            ("k=v\\", {"k": "v"}),
            ("=v", {"": "v"}),
            ("k=é", {"k": "é"}),
        ):
            self.assertEqual(decode_properties(text.encode()), expected, text)

    def test_a_long_text_is_refused(self) -> None:
        """Settings are short; a text as long as a frame would take seconds."""
        longest = b"a=" + b"b" * (MAX_TEXT - 2)
        self.assertEqual(len(decode_properties(longest)["a"]), MAX_TEXT - 2)
        self.assertRaises(BadField, decode_properties, longest + b"b")

    @settings(deadline=None)
    @given(st.dictionaries(TEXT, TEXT))
    def test_round_trip(self, table: dict[str, str]) -> None:
        """Any table is read back as it was, and the text is ASCII."""
        text = encode_properties(table)
        self.assertTrue(text.isascii())
        self.assertEqual(decode_properties(text), table)
