"""The records in files."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files import reads
from rocketmq_tw.store.timer.log import BlockMissing
from tests.store.timer.cases import FILE_SIZE, append, folder, link, log_in


class LogTests(SynchronousTestCase):
    """Files of ten records."""

    def setUp(self) -> None:
        """Make a log; whether pages are cached is decided here."""
        self.patch(reads, "NO_WAIT", 0)
        self.folder = folder(self)
        self.log = log_in(self.folder)

    def test_append(self) -> None:
        """Records are found at their positions."""
        positions = append(self.log, link(1), link(2))
        self.assertEqual(positions, [0, 52])
        for position, offset in zip(positions, (1, 2), strict=True):
            found = self.log.get(position)
            assert found is not None
            self.assertEqual(found.offset, offset)
        self.assertIsNone(self.log.get(104))

    def test_next_file(self) -> None:
        """A file that is full ends with a mark; the next record begins another one."""
        positions = append(self.log, *[link(number) for number in range(25)])
        self.assertEqual(positions[9:11], [468, FILE_SIZE])
        path = self.log.files.path(0)
        with open(path, "rb") as file:
            data = file.read()
        self.assertEqual(len(data), FILE_SIZE)
        self.assertEqual(
            data[520:536].hex(), "0000001e" + "0000000000000000" + "cbd43194"
        )
        found = [self.log.get(at) for at in positions]
        self.assertEqual([each.offset for each in found if each], list(range(25)))

    def test_scan(self) -> None:
        """All records are read, over all files, and the end is found."""
        for count in (0, 1, 9, 10, 11, 20, 25):
            at = os.path.join(self.folder, str(count))
            log = log_in(at)
            append(log, *[link(number) for number in range(count)])
            again = log_in(at)
            found = [each for each in again.scan(0) if each is not None]
            self.assertEqual([each[1].offset for each in found], list(range(count)))
            self.assertEqual(again.next_position(again.end), log.next_position(log.end))

    def test_truncate(self) -> None:
        """What is cut off is gone, and others take its place."""
        positions = append(self.log, *[link(number) for number in range(15)])
        self.log.truncate(positions[3])
        append(self.log, link(77))
        found = [each[1].offset for each in self.log.scan(0) if each is not None]
        self.assertEqual(found, [0, 1, 2, 77])

    def test_full_disk(self) -> None:
        """Nothing is appended; the same may be tried again."""
        append(self.log, link(1))
        disk = self.log.files.disk

        def fail(descriptor: int, data: object, at: int) -> int:
            raise OSError(errno.ENOSPC, "full")

        disk.pwrite, write = fail, disk.pwrite  # type: ignore[method-assign]
        self.assertRaises(OSError, append, self.log, link(2))
        self.assertEqual(self.log.end, 52)
        disk.pwrite = write  # type: ignore[method-assign]
        self.assertEqual(append(self.log, link(2)), [52])

    def test_not_cached(self) -> None:
        """A block that the page cache lacks is loaded first."""
        append(self.log, link(1))
        self.log._reads.now = lambda *_: None  # type: ignore[method-assign]
        with self.assertRaises(BlockMissing):
            self.log.get(0)
        self.assertIsNotNone(self.log.load(0))
        found = self.log.get(0)
        assert found is not None
        self.assertEqual(found.offset, 1)

    def test_old_files(self) -> None:
        """Files go whose last message is before the start of the commit log."""
        append(self.log, *[link(number) for number in range(35)])
        self.assertEqual(list(self.log.old_files(9)), [])
        gone = list(self.log.old_files(20))
        self.assertEqual(gone, [self.log.files.path(n * FILE_SIZE) for n in (0, 1)])
        self.assertEqual(len(list(self.log.old_files(1000))), 1)
        self.assertEqual(self.log.files.bases, [3 * FILE_SIZE])
