"""Tests of what was read last: used again, and never when it has changed."""

import errno
import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.files.recent import RecentReads
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles


class CountingReads(Reads):
    """Counts the reads, and the bytes that they are asked for."""

    count = size = 0

    def read_into(
        self, files: MappedFileQueue, position: int, view: memoryview
    ) -> int | None:
        """Count one."""
        self.count += 1
        self.size += len(view)
        return super().read_into(files, position, view)


class RecentCase(SynchronousTestCase):
    """Has two streams, in files of 1,000 bytes."""

    def setUp(self) -> None:
        """Write 2,500 bytes to each."""
        self.open_files = OpenFiles()
        self.addCleanup(self.open_files.close)
        self.data = bytes(number % 251 for number in range(2500))
        self.files, self.other = self.stream(), self.stream()
        self.reads = CountingReads()
        self.recent = self.reading()

    def stream(self) -> MappedFileQueue:
        """Make a stream."""
        files = MappedFileQueue(self.mktemp(), 1000, self.open_files)
        files.write(0, self.data)
        return files

    def reading(self, **options: int) -> RecentReads:
        """Keep the block of one stream."""
        sizes = {"limit": 1, "ahead": 100} | options
        return RecentReads(self.reads, **sizes)

    def view(
        self,
        position: int,
        size: int,
        end: int = 2500,
        files: MappedFileQueue | None = None,
    ) -> bytes | None:
        """Read, and copy."""
        view = self.recent.view(files or self.files, position, size, end)
        return None if view is None else bytes(view)


class UsedAgainTests(RecentCase):
    """Reads that need no system call."""

    def test_side_by_side(self) -> None:
        """What lies within a block that was read, and only that."""
        for position, size, reads in (
            (200, 50, 1),
            (210, 140, 1),
            (349, 1, 1),
            (350, 1, 2),
            (199, 10, 3),
        ):
            expected = self.data[position : position + size]
            self.assertEqual(self.view(position, size), expected)
            self.assertEqual(self.reads.count, reads, (position, size))

    def test_few_streams(self) -> None:
        """Another stream takes the place of the oldest; buffers are used again."""
        self.view(0, 10)
        memory = self.recent._blocks[self.files].memory
        self.view(0, 10, files=self.other)
        self.assertEqual(list(self.recent._blocks), [self.other])
        self.assertIs(self.recent._blocks[self.other].memory, memory)

    def test_bounded(self) -> None:
        """However many streams there are."""
        self.recent = self.reading(limit=3)
        for number in range(20):
            files = self.stream()
            self.view(number, 10, files=files)
            self.assertLessEqual(len(self.recent._blocks), 3)
            self.assertIn(files, self.recent._blocks)


class NeverChangedTests(RecentCase):
    """A reader gets what is in the file."""

    def test_nothing_that_may_change(self) -> None:
        """Bytes behind the end are not read ahead, nor kept."""
        self.view(200, 50, end=260)
        self.assertEqual(self.reads.size, 60)
        self.view(200, 70, end=260)
        self.assertEqual(self.reads.count, 2)
        self.assertEqual(self.recent._blocks[self.files].end, 260)

    def test_written(self) -> None:
        """What is written takes the place of what was there."""
        self.view(200, 50)
        self.files.write(210, b"new")
        self.assertEqual(self.view(210, 3), b"new")

    def test_truncated(self) -> None:
        """And written again."""
        self.view(200, 50)
        self.files.truncate(100)
        self.assertEqual(self.view(200, 3), bytes(3))

    def test_removed(self) -> None:
        """Nothing is read of a file that is gone, however it went."""
        removals = (
            lambda files: files.remove(0),
            lambda files: files.detach(0),
            lambda files: files.clear(),
            lambda files: files.forget(),
        )
        for number, remove in enumerate(removals):
            files = self.stream()
            self.assertEqual(self.view(200, 50, files=files), self.data[200:250])
            remove(files)
            self.assertIsNone(self.view(200, 50, files=files), number)

    def test_loaded(self) -> None:
        """Files that were found anew are read anew."""
        self.view(200, 50)
        path = self.files.path(0)
        with open(path, "r+b") as file:
            file.write(bytes(1000))
        self.files.load()
        self.assertEqual(self.view(200, 50), bytes(50))

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["read", "read", "read", "write", "truncate"]),
                st.integers(0, 2999),
                st.integers(1, 300),
            ),
            max_size=30,
        )
    )
    def test_as_the_files(self, steps: list[tuple[str, int, int]]) -> None:
        """Whatever is read and written, in any order."""
        self.setUp()
        for kind, position, size in steps:
            if kind == "write":
                self.files.write(position, os.urandom(size))
            elif kind == "truncate":
                self.files.truncate(position)
            else:
                expected = self.files.read(position, size)
                found = self.view(position, size, end=3000)
                self.assertEqual(found or b"", expected)


class ColdTests(RecentCase):
    """What is not in the page cache."""

    def test_none(self) -> None:
        """Nothing is kept of it."""
        self.patch(self.reads, "_has_nowait", True)

        def refuse(*_: object) -> int:
            raise OSError(errno.EAGAIN, "cold")

        self.patch(os, "preadv", refuse)
        self.assertIsNone(self.view(200, 50))
        self.assertNotIn(self.files, self.recent._blocks)

    def test_a_part(self) -> None:
        """What was read ahead may be missing, what is asked for not."""
        self.patch(self.reads, "_has_nowait", True)
        for got, expected in ((60, 50), (40, None)):
            self.patch(os, "preadv", lambda *_, got=got: got)
            found = self.view(200, 50)
            self.assertEqual(None if found is None else len(found), expected)
            self.files.changes += 1

    def test_the_end_of_a_file(self) -> None:
        """A read that reaches beyond it gives what there is."""
        self.assertEqual(self.view(990, 50), self.data[990:1000])
        self.assertEqual(self.view(2990, 50, end=3100), bytes(10))

    def test_no_file(self) -> None:
        """There is nothing."""
        self.assertIsNone(self.view(5000, 10, end=6000))
