"""Tests of the files of one stream."""

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles


class MappedFileQueueTests(SynchronousTestCase):
    """Bytes cut into files."""

    def setUp(self) -> None:
        """Make a queue of files of ten bytes."""
        self.directory = self.mktemp()
        self.files = OpenFiles(limit=2)
        self.addCleanup(self.files.close)
        self.queue = MappedFileQueue(self.directory, 10, self.files)

    def test_writes_across_files(self) -> None:
        """Each file is named by its first offset and has its full length."""
        self.queue.write(5, b"abcdefghijklmnopqrst")
        self.assertEqual(
            sorted(os.listdir(self.directory)),
            ["00000000000000000000", "00000000000000000010", "00000000000000000020"],
        )
        self.assertEqual(self.queue.read(5, 99), b"abcde")
        self.assertEqual(self.queue.read(10, 99), b"fghijklmno")
        self.assertEqual(self.queue.read(20, 99), b"pqrst".ljust(10, b"\0"))
        self.assertEqual(self.queue.read(30, 99), b"")

    def test_loads_what_it_wrote(self) -> None:
        """A new queue finds the files; directories are passed over."""
        self.queue.write(0, bytes(25))
        os.mkdir(os.path.join(self.directory, "other"))
        other = MappedFileQueue(self.directory, 10, self.files)
        other.load()
        self.assertEqual(other.bases, [0, 10, 20])

    def test_removes_an_empty_last_file(self) -> None:
        """Its maker died between creating and sizing it."""
        self.queue.write(0, bytes(10))
        with open(self.queue.path(10), "wb"):
            pass
        self.queue.load()
        self.assertEqual(self.queue.bases, [0])
        self.assertFalse(os.path.exists(self.queue.path(10)))

    def test_refuses_other_lengths_and_names(self) -> None:
        """A file of another size or name stops the load, and is named."""
        self.queue.write(0, bytes(10))
        for name, size in (("00000000000000000010", 9), ("stray", 10)):
            path = os.path.join(self.directory, name)
            with open(path, "wb") as file:
                file.write(bytes(size))
            error = self.assertRaises(StoreUnreadable, self.queue.load)
            self.assertEqual(error.path, path)
            os.unlink(path)

    def test_truncates(self) -> None:
        """What follows reads as zeros; later files go."""
        self.queue.write(0, b"x" * 30)
        self.queue.truncate(14)
        self.assertEqual(self.queue.bases, [0, 10])
        self.assertEqual(self.queue.read(10, 10), b"xxxx\0\0\0\0\0\0")

    def test_truncates_at_a_border(self) -> None:
        """A file that would be empty goes too."""
        self.queue.write(0, b"x" * 20)
        self.queue.truncate(10)
        self.assertEqual(self.queue.bases, [0])
        self.assertEqual(self.queue.read(0, 10), b"x" * 10)

    def test_begins_anywhere(self) -> None:
        """Streams whose first files are gone have their places kept."""
        self.queue.write(40, b"abc")
        self.assertEqual(self.queue.read(41, 2), b"bc")
        self.assertEqual(self.queue.read(3, 2), b"")

    def test_forces_what_is_dirty_once(self) -> None:
        """Files and directory are forced; removed ones are passed over."""
        self.queue.write(0, bytes(20))
        self.queue.write(20, b"x")
        paths = self.queue.take_dirty()
        self.assertEqual(len(paths), 5)
        self.queue.remove(20)
        self.files.disk.fsync(paths)
        self.assertEqual(self.queue.take_dirty(), [])


class OpenFilesTests(SynchronousTestCase):
    """Files kept open."""

    def test_closes_the_least_recently_used(self) -> None:
        """No more than the limit are open at a time."""
        files = OpenFiles(limit=2)
        self.addCleanup(files.close)
        paths = [self.mktemp() for _ in range(3)]
        for path in paths:
            with open(path, "wb"):
                pass
        first = files.descriptor(paths[0])
        second = files.descriptor(paths[1])
        self.assertEqual(files.descriptor(paths[0]), first)
        third = files.descriptor(paths[2])
        self.assertEqual(files.descriptor(paths[0]), first)
        self.assertEqual(files.descriptor(paths[2]), third)
        self.assertRaises(OSError, os.fstat, second)

    def test_reports_a_missing_file(self) -> None:
        """The system's error comes through."""
        self.assertRaises(FileNotFoundError, OpenFiles().descriptor, self.mktemp())
