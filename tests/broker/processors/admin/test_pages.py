"""Tests of the pages of a table."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.pages import MAX_BYTES, PAGE, Pages, Part
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField


class PagesTests(SynchronousTestCase):
    """A table of numbers, with a version."""

    def setUp(self) -> None:
        """Make the table."""
        self.version = DataVersion(1, 5)
        self.table = dict.fromkeys(f"{number:05}" for number in range(10))
        self.pages = Pages(lambda: self.table, lambda: self.version)
        self.text = self.version.encode().decode()

    def page(self, start: int, version: str | None, count: int) -> list[str]:
        """Return the names on a page."""
        return self.pages.page(start, version, count).names

    def names(self, start: int, end: int) -> list[str]:
        """Return some names of the table, in order."""
        return sorted(self.table)[start:end]

    def test_one_after_the_other(self) -> None:
        """Each begins where the one before ends; there is none behind the last."""
        self.assertEqual(self.page(0, None, 4), self.names(0, 4))
        self.assertEqual(self.page(4, self.text, 4), self.names(4, 8))
        self.assertEqual(self.page(8, self.text, 4), self.names(8, 10))
        self.assertEqual(self.page(10, self.text, 4), [])

    def test_nobody_is_alone(self) -> None:
        """The last entry comes with those before, not on a page of its own."""
        self.assertEqual(self.page(0, "", 9), self.names(0, 10))
        self.assertEqual(self.page(3, self.text, 3), self.names(3, 6))
        self.assertEqual(self.page(6, self.text, 3), self.names(6, 10))

    def test_apache(self) -> None:
        """A slave that stops when it lacks one entry has them all."""
        for total in range(1, 30):
            self.table = dict.fromkeys(f"{number:05}" for number in range(total))
            self.version = DataVersion(1, 100 + total)
            text = self.version.encode().decode()
            got: list[str] = []
            while not got or len(got) < total - 1:
                got += self.page(len(got), text, 4)
            self.assertEqual(got, self.names(0, total))

    def test_changed(self) -> None:
        """The first page comes again; also for one who knows no version."""
        self.page(0, None, 4)
        self.version = DataVersion(1, 6)
        self.table["00000a"] = None
        self.assertEqual(self.page(4, self.text, 4), self.names(0, 4))
        self.assertEqual(self.page(4, None, 4), self.names(0, 4))
        text = self.version.encode().decode()
        self.assertEqual(self.page(4, text, 4), self.names(4, 8))

    def test_bounds(self) -> None:
        """A page has one entry at least, and not too many."""
        self.table = dict.fromkeys(f"{number:05}" for number in range(PAGE + 9))
        self.assertEqual(len(self.page(0, None, PAGE + 5)), PAGE)
        self.assertEqual(self.page(-3, None, 2), self.names(0, 2))
        self.assertEqual(self.page(0, None, -1), self.names(0, 1))

    def test_sorted_once(self) -> None:
        """As long as the version is the same."""
        self.page(0, None, 4)
        self.pages._names = ["x"]
        self.assertEqual(self.page(0, None, 4), ["x"])

    def test_garbage(self) -> None:
        """What is no version is refused."""
        for text in ("nonsense", "[]", "{" * 2000):
            with self.assertRaises(Exception) as raised:
                self.page(5, text, 5)
            self.assertNotIsInstance(raised.exception, AssertionError)
        self.assertRaises(BadField, self.pages.page, 5, "{" * 2000, 5)

    def test_bytes(self) -> None:
        """Large entries make a page shorter, but leave no entry alone."""
        part = Part(["a", "b", "c", "d"], 7)
        entries = [b"x" * 1000] * 4
        self.assertEqual(part.fitting(entries), entries)
        entries = [b"x" * (MAX_BYTES // 3)] * 4
        self.assertEqual(len(part.fitting(entries)), 2)
        self.assertEqual(len(Part(part.names, 0).fitting(entries[:3])), 1)
        self.assertEqual(len(part.fitting([b"x" * (MAX_BYTES + 1)] * 2)), 1)
