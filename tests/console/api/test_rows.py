"""How bodies begin."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.rows import PREVIEW, preview_of


class PreviewTests(SynchronousTestCase):
    """Text, or not."""

    def test_text(self) -> None:
        """Text is cut between characters, and kept as it is."""
        self.assertEqual(preview_of("<b>é\n".encode()), ("<b>é\n", True))
        self.assertEqual(preview_of(b""), ("", True))
        for width in range(4):
            body = b"a" * (PREVIEW - width) + "€😀".encode() * 9
            preview, is_text = preview_of(body)
            self.assertTrue(is_text, width)
            self.assertTrue(body.decode().startswith(preview))

    def test_bytes(self) -> None:
        """What is no UTF-8, or has controls, is hexadecimal."""
        self.assertEqual(preview_of(b"\xff\x00"), ("ff 00", False))
        self.assertEqual(preview_of(b"a\x00"), ("61 00", False))
        self.assertEqual(preview_of(b"caf\xc3"), ("63 61 66 c3", False))
        preview, is_text = preview_of(b"\xe4" * 5000)
        self.assertFalse(is_text)
        self.assertEqual(len(preview.split()), PREVIEW // 6)
