"""Bodies on a terminal."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.bodies import as_json, body_text, hex_dump
from rocketmq_tw.admin.results.messages import FoundMessage


def message(body: bytes) -> FoundMessage:
    """Return a message with a body."""
    return FoundMessage(
        message_id="m",
        offset_id="o",
        topic="T",
        broker="b",
        queue_id=0,
        queue_offset=0,
        commit_log_offset=0,
        tag=None,
        keys=(),
        properties={},
        body=body,
        size=1,
        born=None,
        born_host="",
        stored=None,
        store_host="",
        deliveries=0,
    )


class BodyTests(SynchronousTestCase):
    """As text, JSON or hex."""

    def test_auto(self) -> None:
        """The body decides."""
        self.assertEqual(body_text(b"hello", "auto"), "hello")
        self.assertEqual(body_text(b'{"a":1}', "auto"), '{\n  "a": 1\n}')
        self.assertIn("ff fe", body_text(b"\xff\xfe", "auto"))
        self.assertIn("00 01", body_text(b"\x00\x01\x02", "auto"))
        self.assertEqual(body_text(b"{not json", "auto"), "{not json")

    def test_asked_for(self) -> None:
        """What is asked for is printed, as far as it can be."""
        self.assertEqual(body_text(b"\xffa", "text"), "\ufffda")
        self.assertEqual(body_text(b"x", "none"), "")
        self.assertEqual(body_text(b"x", "json"), "x")

    def test_long(self) -> None:
        """Long bodies are cut, and it is said by how much."""
        text = body_text(b"x" * 5000, "auto")
        self.assertTrue(text.endswith("... 904 more bytes"))
        self.assertEqual(len(body_text(b"x" * 5000, "auto", None)), 5000)

    def test_hex(self) -> None:
        """Sixteen bytes stand in a line, with what is ASCII."""
        lines = hex_dump(b"0123456789abcdef\x00\x1b").splitlines()
        self.assertTrue(lines[0].startswith("00000000  30 31"))
        self.assertTrue(lines[0].endswith("  0123456789abcdef"))
        self.assertTrue(lines[1].endswith("  .."))

    def test_json(self) -> None:
        """A body is Base64, unless it is asked for otherwise."""
        found: Any = as_json(message(b'{"a":1}'), "json")
        self.assertEqual(found["body"], {"a": 1})
        self.assertEqual(as_json(message(b"x"), "json")["body"], "x")
        self.assertEqual(as_json(message(b"x"), "text")["body"], "x")
        self.assertIsNone(as_json(message(b"x"), "none")["body"])
        self.assertEqual(as_json(message(b"x"), "auto").body, b"x")
