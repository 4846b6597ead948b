"""Tests of the lock and of the abort file."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import StoreLocked, StoreUnreadable
from rocketmq_tw.store.files.lock import AbortFile, StoreLock

#: Locks the first byte as Java's FileChannel does: a lock of the process.
_AS_JAVA = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
except OSError:
    sys.exit(7)
"""


class StoreLockTests(SynchronousTestCase):
    """One opener at a time."""

    def test_one_at_a_time(self) -> None:
        """A second one is refused, in the same process too, until the first ends."""
        path = self.mktemp()
        first, second = StoreLock(path), StoreLock(path)
        first.acquire()
        error = self.assertRaises(StoreLocked, second.acquire)
        self.assertIn(path, str(error))
        self.assertRaises(StoreLocked, second.acquire)
        first.release()
        second.acquire()
        second.release()
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"lock")

    def test_its_holder_may_acquire_it_again(self) -> None:
        """A program tries the lock early; the store that it opens asks once more."""
        path = self.mktemp()
        first, second = StoreLock(path), StoreLock(path)
        first.acquire()
        first.acquire()
        self.assertRaises(StoreLocked, second.acquire)
        first.release()
        second.acquire()
        second.release()
        second.release()

    def test_makes_its_directory(self) -> None:
        """The lock comes before the store's other files."""
        path = os.path.join(self.mktemp(), "store", "lock")
        lock = StoreLock(path)
        lock.acquire()
        self.assertTrue(os.path.isfile(path))
        lock.release()

    def test_where_no_directory_can_be_made(self) -> None:
        """The system's error becomes a sentence that names the directory."""
        file = self.mktemp()
        with open(file, "wb"):
            pass
        directory = os.path.join(file, "store")
        lock = StoreLock(os.path.join(directory, "lock"))
        error = self.assertRaises(StoreUnreadable, lock.acquire)
        self.assertEqual(
            str(error), f"the store cannot be read: {directory}: Not a directory"
        )

    def test_the_original_respects_it(self) -> None:
        """A lock as Java takes it is refused while ours is held."""
        path = self.mktemp()
        lock = StoreLock(path)
        lock.acquire()
        command = [sys.executable, "-c", _AS_JAVA, path]
        self.assertEqual(subprocess.run(command, check=False).returncode, 7)
        lock.release()
        self.assertEqual(subprocess.run(command, check=False).returncode, 0)


class AbortFileTests(SynchronousTestCase):
    """The mark of an open store."""

    def test_comes_and_goes(self) -> None:
        """It holds the process id; removing it twice is harmless."""
        path = os.path.abspath(self.mktemp())
        abort = AbortFile(path)
        self.assertFalse(abort.exists())
        abort.create()
        self.assertTrue(abort.exists())
        with open(path, encoding="ascii") as file:
            self.assertEqual(int(file.read()), os.getpid())
        abort.remove()
        abort.remove()
        self.assertFalse(abort.exists())
