"""Pages of lists."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.pages import PageQuery, page_of
from rocketmq_tw.console.errors import HttpError


class PageTests(SynchronousTestCase):
    """Which entries."""

    names = [f"Orders-{number}" for number in range(10)]

    def page(self, **query: object) -> tuple[tuple[str, ...], int]:
        """Return the entries of a page, and how many match."""
        page = page_of(self.names, PageQuery(**query), str)  # type: ignore[arg-type]
        return page.items, page.total

    def test_cut(self) -> None:
        """A page begins at an offset; behind the end there is nothing."""
        items, total = self.page(offset=8, limit=5)
        self.assertEqual((items, total), (("Orders-8", "Orders-9"), 10))
        self.assertEqual(self.page(offset=100), ((), 10))

    def test_search(self) -> None:
        """Each word has to be somewhere, in any case; a pattern is only a text."""
        self.assertEqual(self.page(search="ORD 7"), (("Orders-7",), 1))
        self.assertEqual(self.page(search=".*"), ((), 0))

    def test_many_words(self) -> None:
        """Each entry is looked at once, however often a word is there, and for few."""
        seen: list[str] = []

        def text_of(name: str) -> str:
            seen.append(name)
            return name

        page = page_of(self.names, PageQuery("ord " * 60), text_of)
        self.assertEqual((page.total, len(seen)), (10, 10))
        with self.assertRaisesRegex(HttpError, "a search may have 4 words"):
            page_of(self.names, PageQuery("o r d e s"), text_of)
