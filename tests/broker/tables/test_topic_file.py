"""Tests of what a table of topics is kept in."""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.topic_file import SLICE, TopicFile
from rocketmq_tw.broker.tables.topic_journal import TopicJournal
from rocketmq_tw.jsonfile import DamagedDocument, JsonFile
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigTable


class TopicFileTests(SynchronousTestCase):
    """A table whose file is written on request, and whose journal at once."""

    def setUp(self) -> None:
        """Begin with an empty table in an empty folder."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        self.table: dict[str, TopicConfig] = {}
        self.version = DataVersion(1700, 0)
        self.scheduled: list[Callable[[], None]] = []
        self.file = self.make()

    def make(self) -> TopicFile:
        """Make what a table is kept in."""
        path = os.path.join(self.folder, "topics")
        return TopicFile(
            JsonFile(f"{path}.json"),
            journal=TopicJournal(f"{path}.journal", ManualThreads(held=False)),
            current=lambda: TopicConfigTable(self.table, self.version),
            schedule=lambda _delay, work: self.scheduled.append(work),
        )

    def put(self, *names: str) -> None:
        """Create topics, each a change of its own."""
        for name in names:
            self.table[name] = TopicConfig(name)
            self.version = self.version.next(1701)
            self.file.changed(name)

    def assert_kept(self, is_in_file: bool) -> None:
        """Another start finds the table and its version."""
        stored = self.make().load()
        self.assertEqual((stored.table, stored.version), (self.table, self.version))
        self.assertEqual(stored.is_in_file, is_in_file)

    def test_nothing(self) -> None:
        """Without files there are no topics."""
        self.assertEqual(self.make().load().table, {})

    def test_in_the_journal(self) -> None:
        """Changes that are not in the file yet are kept, deletions too."""
        self.put("A", "B")
        self.file.save()
        self.assert_kept(is_in_file=True)
        self.put("C")
        del self.table["A"]
        self.version = self.version.next(1702)
        self.file.changed("A")
        self.assertIsNone(self.file.when_kept())
        self.assert_kept(is_in_file=False)

    def test_written_later(self) -> None:
        """Many changes are one write, which the journal need not repeat."""
        self.put("A", "B", "C")
        [write] = self.scheduled
        write()
        self.assert_kept(is_in_file=True)

    def test_replaced(self) -> None:
        """The journal has nothing of the table before."""
        self.put("A", "B")
        self.table, self.version = {"M": TopicConfig("M")}, DataVersion(1800, 9)
        self.file.replaced()
        self.assertEqual(self.make().load().table, {})
        self.file.save()
        self.assert_kept(is_in_file=True)

    def test_steps(self) -> None:
        """A large table is encoded some topics at a time."""
        for number in range(2 * SLICE):
            self.table[f"T{number}"] = TopicConfig(f"T{number}")
        self.put("Last")
        steps = 0
        while self.scheduled:
            self.scheduled.pop(0)()
            steps += 1
        self.assertEqual(steps, 3)
        self.assert_kept(is_in_file=True)

    def test_damaged(self) -> None:
        """The start fails, as the error says where."""
        with open(self.file.path, "wb") as file:
            file.write(b"{")
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertEqual(error.path, self.file.path)
