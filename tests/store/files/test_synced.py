"""Tests of files that are flushed through kept descriptors."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.disk import FileId
from rocketmq_tw.store.files.synced import SyncedFiles
from tests.store.disks import FaultyDisk


class SyncedFilesTests(SynchronousTestCase):
    """Two files in a directory."""

    def setUp(self) -> None:
        """Make them."""
        self.disk = FaultyDisk()
        self.files = SyncedFiles(self.disk)
        self.addCleanup(self.files.close)
        self.root = self.mktemp()
        os.makedirs(self.root)
        self.active, self.other = f"{self.root}/1", f"{self.root}/0"
        self.ids: dict[str, FileId | None] = {}
        for path in (self.active, self.other):
            self.make(path)

    def make(self, path: str) -> None:
        """Make a file that is written to."""
        self.disk.create(path, 1)
        descriptor = self.disk.open(path)
        self.ids[path] = self.disk.file_id(descriptor)
        os.close(descriptor)

    def flush(self, *paths: str) -> list[str]:
        """Flush files; return those that are gone."""
        written = {path: self.ids.get(path) for path in paths}
        return self.files.flush(written, self.active)

    def test_one_call_a_flush(self) -> None:
        """Once the active file is open, a flush is one fsync and nothing else."""
        self.assertEqual(self.flush(self.active, self.other, self.root), [])
        calls = dict(self.disk.calls)
        for _ in range(3):
            self.assertEqual(self.flush(self.active), [])
        self.assertEqual(dict(self.disk.calls), calls | {"sync": calls["sync"] + 3})

    def test_others_are_closed(self) -> None:
        """Only the active file stays open, and only while it is active."""
        before = len(os.listdir("/proc/self/fd"))
        self.flush(self.active, self.other, self.root)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before + 1)
        self.active = self.other
        self.flush(self.active, self.root)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before + 1)
        self.files.close()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_gone(self) -> None:
        """What is gone, and another file of the same name, are reported."""
        os.remove(self.other)
        os.rename(self.active, f"{self.root}/elsewhere")
        self.disk.create(self.active, 1)
        self.assertEqual(self.flush(self.active, self.other), [self.other, self.active])

    def test_kept_and_gone(self) -> None:
        """Whoever keeps a file open has to ask whether it is still there."""
        self.flush(self.active)
        kept = self.ids[self.active]
        self.assertTrue(self.files.is_there(self.active, kept))
        os.rename(self.active, f"{self.root}/elsewhere")
        self.assertEqual(self.flush(self.active), [])
        self.assertFalse(self.files.is_there(self.active, kept))
        self.disk.create(self.active, 1)
        self.assertFalse(self.files.is_there(self.active, kept))
        self.assertTrue(self.files.is_there(self.active, None))

    def test_failing(self) -> None:
        """Nothing stays open of what could not be flushed."""
        before = len(os.listdir("/proc/self/fd"))
        self.disk.fail_next("sync", errno.EIO)
        self.assertRaises(OSError, self.flush, self.active)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.flush(self.active)
        self.disk.fail_next("sync", errno.EIO)
        self.assertRaises(OSError, self.flush, self.active)
