"""Documents written in a thread: the newest wins, none is lost."""

from __future__ import annotations

import os

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.background import BackgroundFile
from rocketmq_tw.testing import ManualThreads


class BackgroundFileTests(SynchronousTestCase):
    """A thread that does its work when it is notified."""

    def setUp(self) -> None:
        """Make a document in a folder of its own."""
        self.threads = ManualThreads()
        self.path = os.path.join(self.mktemp(), "topics.json")
        self.file = BackgroundFile(self.path, self.threads)

    def text(self) -> bytes:
        """Read the file."""
        with open(self.path, "rb") as file:
            return file.read()

    def blocked(self) -> str:
        """Let writing fail: a file stands where the folder should be."""
        folder = os.path.dirname(self.path)
        with open(folder, "wb"):
            return folder

    def test_written(self) -> None:
        """Saving returns at once; the work is done elsewhere."""
        self.file.save(b"{}")
        self.assertFalse(os.path.exists(self.path))
        drained = self.file.drain()
        self.assertNoResult(drained)
        self.threads.run_one()
        self.successResultOf(drained)
        self.assertEqual(self.text(), b"{}")

    def test_newest_wins(self) -> None:
        """Of what comes meanwhile only the newest is written, after the first."""
        for text in (b"1", b"2", b"3"):
            self.file.save(text)
        drained = self.file.drain()
        self.threads.run_one()
        self.assertNoResult(drained)
        self.assertEqual(self.text(), b"1")
        self.threads.run_one()
        self.successResultOf(drained)
        self.assertEqual((self.text(), self.threads.work), (b"3", []))

    def test_nothing_to_do(self) -> None:
        """With nothing to write all is written."""
        self.successResultOf(self.file.drain())
        self.file.save(b"1")
        self.threads.run_one()
        self.successResultOf(self.file.drain())
        self.assertEqual(self.threads.work, [])

    def test_failure_logged_once(self) -> None:
        """However often a disk refuses, that is logged once until a write succeeds."""
        folder = self.blocked()
        with capturedLogs() as events:
            for _ in range(50):
                self.file.save(b"1")
                self.threads.run_one()
        self.assertEqual(len(events), 1)
        os.unlink(folder)
        self.file.save(b"2")
        self.threads.run_one()
        self.assertEqual(self.text(), b"2")

    def test_failure_kept(self) -> None:
        """What could not be written is tried again, and is not lost."""
        folder = self.blocked()
        self.file.save(b"1")
        drained = self.file.drain()
        self.threads.run_one()
        self.successResultOf(drained)
        os.unlink(folder)
        drained = self.file.drain()
        self.threads.run_one()
        self.successResultOf(drained)
        self.assertEqual(self.text(), b"1")

    def test_newer_after_failure(self) -> None:
        """A newer text is written at once after a failure, the old one never."""
        folder = self.blocked()
        self.file.save(b"1")
        self.file.save(b"2")
        self.threads.run_one()
        os.unlink(folder)
        self.threads.run_one()
        self.assertEqual((self.text(), self.threads.work), (b"2", []))

    def test_all_waiters_are_notified(self) -> None:
        """Each who waits is notified."""
        self.file.save(b"1")
        waiting = [self.file.drain() for _ in range(3)]
        self.threads.run_one()
        for each in waiting:
            self.successResultOf(each)

    def test_read_back(self) -> None:
        """It reads as any document."""
        self.file.save(b'{"a":1}')
        self.threads.run_one()
        self.assertEqual(self.file.load(), {"a": 1})
