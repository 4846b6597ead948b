"""One metric of the page."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.histogram import Histogram
from tests.metrics.reading import read


def gauge(**more: Any) -> Family:
    """Make a gauge with one label."""
    values: dict[str, Any] = {"labels": ("topic",), **more}
    return Family("rocketmq_x", "gauge", "Text", **values)


class FamilyTests(SynchronousTestCase):
    """Series and their lines."""

    def test_lines(self) -> None:
        """The head, then a line for each series, own labels before common ones."""
        family = gauge(common='cluster="c"')
        self.assertEqual(family.pieces(), [])
        family.set(("a",), 1)
        family.set(("b",), 2)
        expected = (
            b"# HELP rocketmq_x Text\n# TYPE rocketmq_x gauge\n"
            b'rocketmq_x{topic="a",cluster="c"} 1\n'
            b'rocketmq_x{topic="b",cluster="c"} 2\n'
        )
        self.assertEqual(b"".join(family.pieces()), expected)

    def test_without_labels(self) -> None:
        """Braces are left out."""
        family = gauge(labels=())
        family.set((), 1.5)
        self.assertTrue(b"".join(family.pieces()).endswith(b"\nrocketmq_x 1.5\n"))

    def test_equal_value(self) -> None:
        """A series that has not changed is not encoded again."""
        family = gauge()
        family.set(("a",), 1)
        piece = family.pieces()[1]
        family.set(("a",), 1)
        self.assertIs(family.pieces()[1], piece)
        family.set(("a",), 2)
        self.assertEqual(read(family.pieces()).get("rocketmq_x", topic="a"), 2)

    def test_removed(self) -> None:
        """A series that is removed can come again, with the value that it had."""
        family = gauge()
        family.set(("a",), 1)
        family.set(("b",), 1)
        family.keep_only([("b",)])
        self.assertEqual(read(family.pieces()).labels("rocketmq_x"), [{"topic": "b"}])
        family.set(("a",), 1)
        self.assertEqual(len(family), 2)

    def test_limit(self) -> None:
        """Too many are left out and counted."""
        family = gauge(limit=2)
        for name in "abcd":
            family.set((name,), 1)
        self.assertEqual((len(family), set(family.left_out)), (2, {("c",), ("d",)}))
        family.set(("a",), 2)
        family.remove(("d",))
        self.assertEqual(set(family.left_out), {("c",)})

    def test_capacity_is_taken(self) -> None:
        """What was left out comes back with its last value, without another change."""
        family = gauge(limit=2)
        for value, name in enumerate("abcd"):
            family.set((name,), value)
        family.set(("c",), 5)
        family.remove(("a",))
        page = read(family.pieces())
        self.assertEqual(page.get("rocketmq_x", topic="c"), 5)
        self.assertEqual(set(family.left_out), {("d",)})

    def test_unwanted_is_not_taken(self) -> None:
        """What is not wanted any more does not come back."""
        family = gauge(limit=2)
        for name in "abcd":
            family.set((name,), 1)
        family.keep_only([("d",)])
        self.assertEqual(read(family.pieces()).labels("rocketmq_x"), [{"topic": "d"}])
        self.assertEqual(family.left_out, {})

    def test_histogram_is_taken(self) -> None:
        """A histogram that was left out comes back with its counts."""
        family = Family("rocketmq_x", "histogram", "Text", labels=("code",), limit=1)
        for name in "ab":
            histogram = Histogram(())
            histogram.add(1)
            family.set_histogram((name,), histogram)
        family.remove(("a",))
        self.assertEqual(read(family.pieces()).get("rocketmq_x_count", code="b"), 1)

    def test_histogram(self) -> None:
        """Buckets are cumulative and end in all; sum and count follow."""
        family = Family(
            "rocketmq_x", "histogram", "Text", labels=("code",), bounds=(1, 10)
        )
        histogram = Histogram((1, 10))
        histogram.add(0.5, 3)
        histogram.add(20)
        family.set_histogram(("send",), histogram)
        page = read(family.pieces())
        for bound, count in (("1.0", 3), ("10.0", 3), ("+Inf", 4)):
            found = page.get("rocketmq_x_bucket", code="send", le=bound)
            self.assertEqual(found, count)
        self.assertEqual(page.get("rocketmq_x_count", code="send"), 4)
        self.assertEqual(page.get("rocketmq_x_sum", code="send"), 21.5)
        piece = family.pieces()[1]
        family.set_histogram(("send",), histogram)
        self.assertIs(family.pieces()[1], piece)
        histogram.add(2)
        family.set_histogram(("send",), histogram)
        self.assertEqual(read(family.pieces()).get("rocketmq_x_count"), 5)

    def test_limit_of_histograms(self) -> None:
        """The limit counts groups of lines."""
        family = Family("rocketmq_x", "histogram", "Text", labels=("code",), limit=1)
        for name in "ab":
            family.set_histogram((name,), Histogram(()))
        self.assertEqual((len(family), set(family.left_out)), (1, {("b",)}))
