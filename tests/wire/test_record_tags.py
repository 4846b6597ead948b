"""The tags code of encoded properties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.wire.properties import find
from rocketmq_tw.wire.record_tags import tags_code_of

PIECES = (b"TAGS", b"\x01", b"\x02", b"TagA", b"x", b"KEYS", b"\xc3", b"\xa9", b"\xff")


class TagsCodeTests(SynchronousTestCase):
    """It is what the decoded text has."""

    @given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
    def test_agrees(self, properties: bytes) -> None:
        """With any text, whole or not."""
        text = properties.decode("utf-8", "replace")
        self.assertEqual(tags_code_of(properties), tags_code(find(text, "TAGS")))

    def test_examples(self) -> None:
        """First, later, absent, a part of another name."""
        for properties, expected in (
            (b"TAGS\x01TagA\x02", 2598919),
            (b"KEYS\x01k\x02TAGS\x01TagA", 2598919),
            (b"KEYS\x01k\x02", 0),
            (b"MYTAGS\x01TagA\x02", 0),
            (b"", 0),
        ):
            self.assertEqual(tags_code_of(properties), expected)
