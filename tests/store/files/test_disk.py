"""Tests of the disk as the store uses it."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.disk import Disk


class NotingDisk(Disk):
    """Takes only three bytes at a time, and notes what is made sure of."""

    def __init__(self) -> None:
        self.synced: list[str] = []
        self.systems = 0
        self.error = 0

    def pwrite(self, descriptor: int, data: bytes | memoryview, at: int) -> int:
        """Write three bytes."""
        return super().pwrite(descriptor, memoryview(data)[:3], at)

    def sync(self, descriptor: int) -> None:
        """Note the path."""
        super().sync(descriptor)
        self.synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    @property
    def can_sync_file_systems(self) -> bool:
        """Say so, whatever the kernel is."""
        return True

    def sync_file_system(self, descriptor: int) -> None:
        """Count, or fail."""
        self.systems += 1
        if self.error:
            raise OSError(self.error, os.strerror(self.error))


class DiskTests(SynchronousTestCase):
    """In a directory of its own."""

    def setUp(self) -> None:
        """Make the directory."""
        self.disk = NotingDisk()
        self.root = os.path.realpath(self.mktemp())
        os.makedirs(self.root)
        self.file = os.path.join(self.root, "file")

    def test_writes_all_of_it(self) -> None:
        """However little is taken at a time."""
        self.disk.create(self.file, 20)
        descriptor = self.disk.open(self.file)
        self.disk.write(descriptor, b"0123456789", 5)
        os.close(descriptor)
        with open(self.file, "rb") as file:
            self.assertEqual(file.read(), bytes(5) + b"0123456789" + bytes(5))

    def test_files_are_flushed_before_the_directories_that_name_them(self) -> None:
        """What is gone meanwhile is passed over."""
        inner = os.path.join(self.root, "a", "b")
        changed = self.disk.make_directories(inner)
        self.assertEqual(changed, [os.path.join(self.root, "a"), self.root])
        deep = os.path.join(inner, "deep")
        self.disk.create(deep, 1)
        self.disk.fsync([self.root, deep, inner, self.file])
        self.assertEqual(self.disk.synced, [deep, inner, self.root])

    def test_many_files(self) -> None:
        """Their file system is flushed once, not each of them."""
        self.disk.many = 2
        self.disk.create(self.file, 1)
        self.disk.fsync([self.file, self.root, os.path.join(self.root, "gone")])
        self.assertEqual((self.disk.systems, self.disk.synced), (1, []))

    def test_file_systems_that_may_not_be_flushed(self) -> None:
        """A sandbox may forbid the call: then each file is; an error is an error."""
        self.disk.many = 1
        self.disk.error = errno.EPERM
        self.disk.create(self.file, 1)
        self.disk.fsync([self.file, self.root])
        self.assertEqual(self.disk.synced, [self.file, self.root])
        self.disk.error = errno.EIO
        self.assertRaises(OSError, self.disk.fsync, [self.file, self.root])

    def test_removing_twice(self) -> None:
        """What is gone need not be removed."""
        self.disk.create(self.file, 1)
        self.disk.remove(self.file)
        self.disk.remove(self.file)
        self.assertFalse(os.path.exists(self.file))

    def test_how_full_it_is(self) -> None:
        """In percent, for paths that are not there yet too."""
        used = self.disk.used(os.path.join(self.root, "not", "there"))
        self.assertTrue(0 <= used <= 100)

    def test_free(self) -> None:
        """It says how many bytes an unprivileged process may still write."""
        found = os.statvfs(self.root)
        size = found.f_blocks * found.f_frsize
        self.assertTrue(0 <= self.disk.free(self.root) <= size)

    def test_the_boot_is_known(self) -> None:
        """Its id is the same until the kernel is started again."""
        self.assertEqual(len(self.disk.boot_id()), 16)
        self.assertEqual(self.disk.boot_id(), Disk().boot_id())
