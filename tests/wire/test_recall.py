"""Recall handles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.recall import decode_handle, encode_handle

#: What a broker of Apache RocketMQ makes.
GOLDEN = "djEgVCBiMSAxNzAwMDAwMDAwMDAxIDdGMDAwMDAxMEEwMDAwMDAwMDAwMDAwMDAwMDAwMDAx"
PARTS = ("T", "b1", "1700000000001", "7F0000010A0000000000000000000001")


class HandleTests(SynchronousTestCase):
    """A text that names a message."""

    def test_golden(self) -> None:
        """It is that of another broker."""
        topic, broker_name, time, key = PARTS
        handle = encode_handle(topic, broker_name, int(time), key)
        self.assertEqual(handle.decode(), GOLDEN)
        self.assertEqual(decode_handle(GOLDEN), PARTS)

    def test_without_padding(self) -> None:
        """It is read with and without padding, in the alphabet of URLs."""
        for key in ("a", "ab", "abc", "??>>~~"):
            text = encode_handle("T", "b", 1, key).decode()
            self.assertEqual(decode_handle(text), decode_handle(text.rstrip("=")))
            self.assertEqual(decode_handle(text)[3], key)

    def test_bad(self) -> None:
        """What is no handle is refused, also if it is long."""
        wrong = ("", "v1", "!!!", "ä", "djIgVCBiIDEgaw==", "djEgVCBi", "A" * 5000)
        for text in wrong:
            self.assertRaises(BadField, decode_handle, text)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is a handle, or is refused."""
        try:
            decode_handle(text)
        except BadField:
            pass
