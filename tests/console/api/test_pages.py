"""Pages of lists."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client import EARLIEST
from rocketmq_tw.console.api.pages import PageQuery, page_of
from rocketmq_tw.console.errors import HttpError
from tests.console.visits import ConsoleCase


class PageTests(SynchronousTestCase):
    """Which entries."""

    names = [f"Orders-{number}" for number in range(10)]

    def page(self, **query: object) -> tuple[tuple[str, ...], int]:
        """Return the entries of a page, and how many match."""
        page = page_of(self.names, PageQuery(**query), str, {})  # type: ignore[arg-type]
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

        page = page_of(self.names, PageQuery("ord " * 60), text_of, {})
        self.assertEqual((page.total, len(seen)), (10, 10))
        with self.assertRaisesRegex(HttpError, "a search may have 4 words"):
            page_of(self.names, PageQuery("o r d e s"), text_of, {})


class PartTests(ConsoleCase):
    """Two brokers, of which one does not respond: what the other knows is there."""

    brokers = 2

    def setUp(self) -> None:
        """Let a group consume at both, and then reach only one of them."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"a", b"b")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 2)
        self.cluster.advance(31)
        self.unreachable("broker-b")

    def check(self, path: str) -> Any:
        """Return what is there; it says who could not be asked."""
        found = self.get(path)
        self.assertEqual(list(found["failed"]), ["broker-b"])
        self.assertNotEqual(found["failed"]["broker-b"], "")
        return found

    def test_lists(self) -> None:
        """All lists have what broker-a knows."""
        [topic] = self.check("/api/topics")["items"]
        self.assertEqual((topic["name"], topic["brokers"]), ("orders", ["broker-a"]))
        [row] = self.check("/api/groups")["items"]
        self.assertEqual(row["group"]["brokers"], ["broker-a"])
        [client] = self.check("/api/clients?search=billing")["items"]
        self.assertEqual(client["brokers"], ["broker-a"])

    def test_one(self) -> None:
        """So have the pages of one topic, and of one group."""
        found = self.check("/api/topic?name=orders")
        self.assertEqual(found["groups"], ["billing"])
        found = self.check("/api/group?name=billing")
        self.assertEqual(len(found["members"]), 1)
