"""Tests of rocketmq_tw.wire.lenient_json."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import MalformedJson
from rocketmq_tw.wire.lenient_json import MAX_NODES, read
from tests.fuzz.cost import measure

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=12,
)


class ReadTests(SynchronousTestCase):
    """The lenient reader agrees with strict ones, and never fails otherwise."""

    @settings(deadline=None)
    @given(VALUES, st.booleans())
    def test_strict_json_is_read(self, value: object, ascii_only: bool) -> None:
        """Strict JSON gives what a strict reader gives."""
        text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
        self.assertEqual(read(text), value)

    @settings(deadline=None)
    @given(st.text("{}[]:,\"'\\/*$ref@.01aeu \n", max_size=40))
    def test_anything_is_read_or_malformed(self, text: str) -> None:
        """No text raises anything but MalformedJson."""
        try:
            read(text)
        except MalformedJson as error:
            self.assertIn("malformed", str(error))

    def test_depth_is_bounded(self) -> None:
        """Nesting deeper than the limit is refused before the stack is used up."""
        read("[" * 64 + "]" * 64)
        self.assertRaises(MalformedJson, read, "[" * 65 + "]" * 65)

    def test_plain_members(self) -> None:
        """Plain values, and those between them that are not, are read in order."""
        text = (
            '{a:1,"b":"x" , 3:-4,,"":true,c:null,d:1.5,e:{"f":[1,"y",,false,[2]]},'
            "'g':\t7,h:12345678901234567890,i:\"\\u00e9\",j:1L,k:NaN,l:0}"
        )
        value = read(text)
        self.assertEqual(list(value), [*"ab3", "", *"cdeghijkl"])
        self.assertEqual(
            list(value.values()),
            [1, "x", -4, True, None, 1.5, {"f": [1, "y", False, [2]]}]
            + [7, 12345678901234567890, "\u00e9", 1, None, 0],
        )

    def test_digits_are_ascii(self) -> None:
        """Digits of other scripts are no numbers, as in Java's reader."""
        for text in ("[\u0663]", "{a:\u0663}", "{\u0663:1}", "[1\u0663]"):
            self.assertRaises(MalformedJson, read, text)

    def test_plain_values_cost_little(self) -> None:
        """Each is one match: no walk through the functions of the reader."""
        cost, _ = measure(lambda: read("{" + "a:1," * 2000 + "}"))
        self.assertLess(cost.work, 20 * 2000)
        cost, _ = measure(lambda: read("[" + '"a",' * 2000 + "]"))
        self.assertLess(cost.work, 20 * 2000)

    def test_escapes_count(self) -> None:
        """A text of escapes alone counts as many values."""
        read('["' + "\\n" * 4 * (MAX_NODES - 8) + '"]')
        self.assertRaises(MalformedJson, read, '["' + "\\n" * 4 * MAX_NODES + '"]')
