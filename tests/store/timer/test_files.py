"""The timer's files in a folder."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.store.timer.layout import Slot
from tests.store.timer.cases import FILE_SIZE, NOW_MS, append, folder, link
from tests.store.timer.test_checkpoint import NUMBERS, OWN


class OrderedDisk(Disk):
    """Notes what is flushed, by the last part of its path."""

    def __init__(self) -> None:
        self.flushed: list[list[str]] = []
        self.fails = False

    def fsync(self, paths: list[str]) -> None:
        """Note the paths."""
        if self.fails:
            raise OSError(5, "broken")
        self.flushed.append(sorted(os.path.basename(path) for path in paths))


class FilesTests(SynchronousTestCase):
    """A folder that is empty at first."""

    def setUp(self) -> None:
        """Make it."""
        self.folder = folder(self)
        self.disk = OrderedDisk()
        self.files = self.opened()

    def opened(self) -> TimerFiles:
        """Use the folder's files."""
        files = TimerFiles(self.folder, file_size=FILE_SIZE, disk=self.disk)
        self.addCleanup(files.close)
        files.load()
        return files

    def test_nothing(self) -> None:
        """Nothing is made before it is needed."""
        self.assertFalse(self.files.has_log or self.files.has_wheel)
        self.assertFalse(self.files.is_open)
        self.assertEqual(os.listdir(self.folder), [])

    def test_made(self) -> None:
        """The wheel has its whole length, and its space on disk."""
        self.files.open_wheel().put(NOW_MS, Slot(0, 52, 1))
        found = os.stat(os.path.join(self.folder, "timerwheel"))
        self.assertEqual(found.st_size, 38_707_200)
        self.assertGreaterEqual(found.st_blocks * 512, 38_707_200)
        again = self.opened()
        self.assertTrue(again.has_wheel)
        self.assertEqual(again.open_wheel().get(NOW_MS), Slot(0, 52, 1))

    def test_flush(self) -> None:
        """Log and wheel are on disk before the check point says so."""
        self.files.open_wheel()
        append(self.files.log, link(1))
        self.successResultOf(self.files.flush(NUMBERS, OWN))
        first, second = self.disk.flushed
        self.assertLessEqual({"timerwheel", "0" * 20, "timerlog"}, set(first))
        self.assertEqual(second, ["config", "timercheck"])
        self.assertEqual(self.files.check.load(), (NUMBERS, OWN))

    def test_flush_fails(self) -> None:
        """Then the check point stays, and all of it is flushed the next time."""
        self.files.open_wheel()
        append(self.files.log, link(1))
        self.disk.fails = True
        failed: Deferred[None] = self.files.flush(NUMBERS, OWN)
        self.failureResultOf(failed, OSError)
        self.assertIsNone(self.files.check.load())
        self.disk.fails = False
        self.successResultOf(self.files.flush(NUMBERS, OWN))
        self.assertIn("0" * 20, self.disk.flushed[0])

    def test_remove_old(self) -> None:
        """Files are removed whose messages are gone."""
        append(self.files.log, *[link(number) for number in range(25)])
        self.assertIsNone(self.files.remove_old(9))
        removing = self.files.remove_old(10)
        assert removing is not None
        self.successResultOf(removing)
        names = sorted(os.listdir(os.path.join(self.folder, "timerlog")))
        self.assertEqual(names, [f"{n * FILE_SIZE:020d}" for n in (1, 2)])

    def test_wrong_files(self) -> None:
        """A file of another length, and a snapshot, are refused."""
        append(self.files.log, link(1))
        path = os.path.join(self.folder, "timerlog", f"{FILE_SIZE:020d}")
        with open(path, "wb") as file:
            file.write(bytes(FILE_SIZE + 1))
        self.assertRaises(StoreUnreadable, self.opened)
        os.remove(path)
        with open(os.path.join(self.folder, "timerwheel.52"), "wb"):
            pass
        self.assertRaises(StoreUnreadable, self.opened)
