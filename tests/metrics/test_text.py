"""Names, labels and numbers as Prometheus reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.text import escaped, head, labels_text, number
from tests.metrics.reading import Reading


class TextTests(SynchronousTestCase):
    """What stands on a line."""

    def test_escaped(self) -> None:
        """Quotes, backslashes and line ends cannot end a label."""
        self.assertEqual(escaped("TopicTest"), "TopicTest")
        self.assertEqual(escaped('a"b\\c\nd'), r"a\"b\\c\nd")
        self.assertEqual(escaped("%RETRY%g"), "%RETRY%g")

    def test_not_encodable(self) -> None:
        """Half of a surrogate pair becomes a question mark."""
        self.assertEqual(escaped("a\ud800b"), "a?b")

    def test_numbers(self) -> None:
        """Whole numbers have no point; there are numbers that are none."""
        for value, text in (
            (6, "6"),
            (-1, "-1"),
            (0.25, "0.25"),
            (float("nan"), "NaN"),
            (float("inf"), "+Inf"),
            (float("-inf"), "-Inf"),
        ):
            self.assertEqual(number(value), text)

    def test_help(self) -> None:
        """A help of two lines stays on one."""
        expected = b"# HELP a_total x\\ny\n# TYPE a_total counter\n"
        self.assertEqual(head("a_total", "counter", "x\ny"), expected)

    @given(st.text())
    def test_any_value(self, value: str) -> None:
        """Whatever a peer sends is read as one label, and nothing but that."""
        line = f"a{{{labels_text([('name', value), ('next', 'x')])}}} 1\n"
        page = head("a", "gauge", "help") + line.encode()
        expected = value.encode("utf-8", "replace").decode()
        if any(
            character in value for character in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
        ):
            return  # splitlines of the strict reader sees more line ends than there are
        [labels] = Reading(page).labels("a")
        self.assertEqual(labels, {"name": expected, "next": "x"})
