"""Tests of the journal of topics."""

from __future__ import annotations

import os

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.background import BackgroundFile
from rocketmq_tw.broker.tables.topic_journal import (
    JournaledFile,
    TopicChange,
    TopicJournal,
)
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.bodies.dataversion import DataVersion


def version(number: int) -> DataVersion:
    """Make the version of a table after so many changes."""
    return DataVersion(1700, number)


def change(number: int) -> TopicChange:
    """Make a change; every third deletes a topic."""
    if number % 3 == 0:
        return TopicChange(version(number), deleted=f"T{number}")
    return TopicChange(version(number), TopicConfig(f"T{number}", 4, 4))


class JournalCase(SynchronousTestCase):
    """Has a journal with four changes."""

    def setUp(self) -> None:
        """Make a journal in an empty folder, and add some changes."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "topics.journal")
        self.threads = ManualThreads(held=False)
        self.journal = TopicJournal(self.path, self.threads)
        self.add(2, 3, 4, 5)

    def add(self, *numbers: int) -> None:
        """Add changes."""
        for number in numbers:
            self.journal.add(change(number))

    def load(self, number: int) -> list[TopicChange]:
        """Read the changes that follow a version, as a start does."""
        return TopicJournal(self.path, self.threads).load(version(number))

    def text(self) -> bytes:
        """Return what is in the file."""
        with open(self.path, "rb") as file:
            return file.read()


class TopicJournalTests(JournalCase):
    """Changes that topics.json does not have."""

    def test_all(self) -> None:
        """All changes follow the version before the first."""
        self.assertEqual(self.load(1), [change(n) for n in (2, 3, 4, 5)])

    def test_some(self) -> None:
        """Only those behind the version that topics.json has are applied."""
        self.assertEqual(self.load(3), [change(4), change(5)])
        self.assertEqual(self.load(5), [])

    def test_written_by_others(self) -> None:
        """If another program has written topics.json, the changes are ignored."""
        with capturedLogs() as events:
            self.assertEqual(self.load(9), [])
        [line] = [each for each in events if each["log_level"] is LogLevel.warn]
        self.assertEqual(line["count"], 4)

    def test_no_file(self) -> None:
        """Then nothing has changed."""
        self.assertEqual(
            TopicJournal(self.path + "x", self.threads).load(version(1)), []
        )

    def test_every_cut(self) -> None:
        """A last line that is not whole is not applied; those before it are."""
        text = self.text()
        whole = [n for n in range(len(text)) if text[n : n + 1] == b"\n"]
        for size in range(len(text)):
            with open(self.path, "wb") as file:
                file.write(text[:size])
            count = sum(end <= size for end in whole)
            self.assertEqual(len(self.load(1)), count)

    def test_trimmed(self) -> None:
        """What topics.json has is removed; an empty journal is no file."""
        self.journal.trim(version(4))
        self.assertEqual(self.load(4), [change(5)])
        self.add(7)
        self.assertEqual(self.load(4), [change(5), change(7)])
        self.journal.trim(version(7))
        self.assertEqual(os.listdir(self.folder), [])
        self.journal.trim(version(1))
        self.add(8)
        self.assertEqual(self.load(7), [change(8)])

    def test_one_write_at_a_time(self) -> None:
        """What comes while the disk is busy is in the next write, all together."""
        self.threads.hold()
        self.add(7)
        first = self.journal.when_written()
        self.add(8, 10, 11)
        second = self.journal.when_written()
        assert first is not None and second is not None
        self.assertEqual(len(self.threads.work), 1)
        self.threads.run_one()
        self.successResultOf(first)
        self.assertNoResult(second)
        self.threads.run_one()
        self.successResultOf(second)
        self.assertEqual(self.threads.work, [])
        self.assertIsNone(self.journal.when_written())
        self.assertEqual(len(self.load(1)), 8)

    def test_trimmed_meanwhile(self) -> None:
        """The file is replaced after the write in flight, with what is left."""
        self.threads.hold()
        self.add(6)
        self.journal.trim(version(5))
        self.add(7)
        self.threads.run()
        self.assertEqual(self.load(5), [change(6), change(7)])

    def test_full_disk(self) -> None:
        """It is logged once; the next change is written with those before it."""
        os.mkdir(self.path + "x")
        journal = TopicJournal(self.path + "x", self.threads)
        with capturedLogs() as events:
            journal.add(change(2))
            journal.add(change(4))
        self.assertEqual(len(events), 1)
        self.assertIsNone(journal.when_written())
        os.rmdir(self.path + "x")
        journal.add(change(5))
        self.assertEqual(
            TopicJournal(self.path + "x", self.threads).load(version(1)),
            [change(2), change(4), change(5)],
        )


class JournaledFileTests(JournalCase):
    """The journal with the file that takes its changes."""

    def test_written_in_a_thread(self) -> None:
        """The journal is trimmed to the version of the text, once that is on disk."""
        self.threads.hold()
        file = BackgroundFile(os.path.join(self.folder, "topics.json"), self.threads)
        known = version(4)
        JournaledFile(file, self.journal, lambda: known).save(b"{}")
        known = version(5)
        self.assertEqual(len(self.load(1)), 4)
        self.threads.run()
        self.assertEqual(self.load(4), [change(5)])

    def test_not_written(self) -> None:
        """A text that cannot be written removes nothing."""
        path = os.path.join(self.folder, "missing", "topics.json")
        with open(os.path.dirname(path), "wb"):
            pass
        file = BackgroundFile(path, self.threads)
        JournaledFile(file, self.journal, lambda: version(5)).save(b"{}")
        self.assertEqual(len(self.load(1)), 4)
