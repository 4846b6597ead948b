"""Tests of :mod:`rocketmq_tw.wire.bodies.entries`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.entries import encode_entry, fill


class FillTests(SynchronousTestCase):
    """Entries that are put into an encoded body."""

    def test_table(self) -> None:
        """They are in the table, with commas; what stands around it stays."""
        entries = [encode_entry("x", 1), b'"y":2,"z":{}', encode_entry('"', [3])]
        body = fill(b'{"a":1,"t":{},"v":2}', b'"t":{}', entries)
        expected = b'{"a":1,"t":{"x":1,"y":2,"z":{},"\\"":[3]},"v":2}'
        self.assertEqual(body, expected)

    def test_list(self) -> None:
        """A list is filled alike."""
        self.assertEqual(fill(b'{"l":[]}', b'"l":[]', [b"1", b"2,3"]), b'{"l":[1,2,3]}')

    def test_nothing(self) -> None:
        """Without entries, or with none in them, the body stays as it is."""
        for entries in ([], [b""]):
            self.assertEqual(fill(b'{"t":{}}', b'"t":{}', entries), b'{"t":{}}')

    def test_same_name(self) -> None:
        """A name in a table before it does not matter."""
        body = fill(b'{"s":{"t":{}},"t":{}}', b'"t":{}', [b'"x":1'])
        self.assertEqual(body, b'{"s":{"t":{}},"t":{"x":1}}')

    def test_no_member(self) -> None:
        """A body without it is a mistake of the caller."""
        self.assertRaises(AssertionError, fill, b"{}", b'"t":{}', [])
