"""Tests of rocketmq_tw.wire.lenient_json."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import MalformedJson
from rocketmq_tw.wire.lenient_json import read

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
