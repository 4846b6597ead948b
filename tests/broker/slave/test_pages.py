"""Tests of asking for all pages of a table."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.slave.pages import MAX_PAGES, Page, all_pages
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField

OWN, NEW, NEWER = DataVersion(1, 0), DataVersion(2, 0), DataVersion(3, 0)


class AllPagesTests(SynchronousTestCase):
    """Pages as a master makes them up."""

    def setUp(self) -> None:
        """Note what is asked for."""
        self.asked: list[tuple[int, DataVersion]] = []
        self.pages: list[Page[int]] = []

    async def ask(self, start: int, version: str) -> Page[int]:
        """Return the next page."""
        self.asked.append((start, DataVersion.decode(version.encode())))
        return self.pages.pop(0)

    def add(
        self, names: str, version: DataVersion = NEW, total: int | None = 5
    ) -> None:
        """Let the master have a page with some names."""
        table = {name: ord(name) for name in names}
        forbidden = {name: {"T": 4} for name in names}
        self.pages.append(
            Page(table=table, version=version, total=total, forbidden=forbidden)
        )

    def all(self, limit: int = 100) -> Deferred[Page[int] | None]:
        """Ask for all."""
        asking = all_pages(self.ask, member="t", known=OWN, limit=limit)
        return Deferred.fromCoroutine(asking)

    def names(self) -> str:
        """Return the names in all pages."""
        found = self.successResultOf(self.all())
        assert found is not None
        self.assertEqual([*found.table], [*found.forbidden])
        return "".join(found.table)

    def test_pages(self) -> None:
        """Each is asked for with the version of those before."""
        self.add("abc")
        self.add("de")
        self.assertEqual(self.names(), "abcde")
        self.assertEqual(self.asked, [(0, OWN), (3, NEW)])

    def test_whole(self) -> None:
        """A master without pages responds with all."""
        self.add("abc", total=None)
        self.assertEqual(self.names(), "abc")

    def test_known(self) -> None:
        """A version that the slave has needs no further page."""
        self.add("abc", OWN)
        self.assertIsNone(self.successResultOf(self.all()))

    def test_changed(self) -> None:
        """Then the first page comes again, and what came before is forgotten."""
        self.add("abc")
        self.add("xyz", NEWER)
        self.add("de", NEWER)
        self.assertEqual(self.names(), "xyzde")
        self.assertEqual(self.asked, [(0, OWN), (3, NEW), (3, NEWER)])

    def test_never_complete(self) -> None:
        """An empty page, too many entries, or changes without end."""
        self.add("abc")
        self.add("")
        self.failureResultOf(self.all(), BadField)
        self.add("abc")
        self.failureResultOf(self.all(limit=2), BadField)
        for number in range(MAX_PAGES + 1):
            self.add("a", DataVersion(9, number))
        self.failureResultOf(self.all(), BadField)
        self.assertEqual(len(self.pages), 1)
