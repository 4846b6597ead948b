"""Tests of one index file."""

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index.file import IndexFile, Steps

#: hash("TopicTest#k1"), see the key hash.
K1 = 2746024


class _FullDisk(Disk):
    """A disk that refuses to write while it is full."""

    is_full = False

    def pwrite(self, descriptor: int, data: bytes | memoryview, at: int) -> int:
        """Write, or refuse."""
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().pwrite(descriptor, data, at)


class IndexFileCase(SynchronousTestCase):
    """Makes files of few slots and entries."""

    def make(self, slots: int = 10, max_count: int = 20) -> IndexFile:
        """Make a new file."""
        self.disk = _FullDisk()
        file = IndexFile(self.mktemp(), slots, max_count, self.disk)
        file.create(None)
        self.addCleanup(file.close)
        return file

    def again(self, file: IndexFile) -> IndexFile:
        """Load the same file anew."""
        other = IndexFile(file.path, file._slots, file._max_count, Disk())
        self.assertIsNone(other.load())
        return other

    def find(
        self, file: IndexFile, code: int, begin: int = 0, end: int = 1 << 62
    ) -> list[int]:
        """Give all offsets of a hash."""
        return list(file.find(code, begin, end, Steps(1000)))


class LayoutTests(IndexFileCase):
    """The bytes are the original's."""

    def test_default_size(self) -> None:
        """With the original's settings a file has 420,000,040 bytes."""
        file = IndexFile("none", 5_000_000, 20_000_000, Disk())
        self.assertEqual(file.size, 420_000_040)

    def test_golden(self) -> None:
        """Header, slot and entries stand where the original has them."""
        file = self.make(slots=5_000_000, max_count=10)
        file.append([(K1, 1000, 1_700_000_000_123), (K1, 2000, 1_700_000_004_000)])
        with open(file.path, "rb") as bytes_of:
            header = bytes_of.read(40).hex(" ", -8)
            bytes_of.seek(10_984_136)
            slot = bytes_of.read(4).hex()
            bytes_of.seek(20_000_060)
            first, second = bytes_of.read(20).hex(), bytes_of.read(20).hex()
        self.assertEqual(
            header,
            "0000018bcfe5687b 0000018bcfe577a0 00000000000003e8 00000000000007d0"
            " 0000000100000003",
        )
        self.assertEqual(slot, "00000002")
        self.assertEqual(first, "0029e6a800000000000003e80000000000000000")
        self.assertEqual(second, "0029e6a800000000000007d00000000300000001")

    def test_a_new_file_goes_on(self) -> None:
        """Its end is that of the file before; nothing is counted."""
        file = self.make()
        file.append([(K1, 1000, 5000)])
        following = IndexFile(self.mktemp(), 10, 20, Disk())
        following.create(file)
        self.addCleanup(following.close)
        loaded = self.again(following)
        self.assertEqual((loaded.end_offset, loaded.end_time_ms), (1000, 5000))
        self.assertEqual((loaded.begin_offset, loaded.count), (0, 1))

    def test_takes_space_for_slots_only(self) -> None:
        """Entries that are not there take no space on the disk."""
        file = self.make(slots=1000, max_count=1_000_000)
        self.assertEqual(os.path.getsize(file.path), file.size)
        self.assertLess(os.stat(file.path).st_blocks * 512, 100_000)


class AppendTests(IndexFileCase):
    """Entries are added in batches."""

    def test_chains_within_and_across_batches(self) -> None:
        """The newest entry of a slot leads to the older ones."""
        file = self.make()
        file.append([(3, 100, 1000), (13, 200, 1000), (3, 300, 1000)])
        file.append([(13, 400, 1000), (3, 500, 1000)])
        for each in (file, self.again(file)):
            self.assertEqual(self.find(each, 3), [500, 300, 100])
            self.assertEqual(self.find(each, 13), [400, 200])
            self.assertEqual(self.find(each, 23), [])
        self.assertEqual(self.again(file)._used, 1)

    def test_goes_on_after_loading(self) -> None:
        """A loaded file takes more entries."""
        first = self.make()
        first.append([(3, 100, 1000)])
        file = self.again(first)
        self.addCleanup(file.close)
        file.append([(3, 200, 61_000)])
        self.assertEqual(self.find(file, 3), [200, 100])
        self.assertEqual(file.begin_time_ms, 1000)

    def test_room(self) -> None:
        """Entry 0 is never used, so one less fits than the file has entries."""
        file = self.make(max_count=4)
        self.assertEqual(file.capacity, 3)
        file.append([(1, offset, 1) for offset in range(3)])
        self.assertEqual(file.capacity, 0)
        self.assertEqual(self.find(file, 1), [2, 1, 0])

    def test_a_full_disk_changes_nothing(self) -> None:
        """After an error all is as before, and adding again works."""
        file = self.make()
        file.append([(3, 100, 1000)])
        self.disk.is_full = True
        self.assertRaises(OSError, file.append, [(3, 200, 1000)])
        self.assertEqual(self.find(self.again(file), 3), [100])
        self.disk.is_full = False
        file.append([(3, 200, 1000)])
        self.assertEqual(self.find(self.again(file), 3), [200, 100])

    def test_clock_that_went_back(self) -> None:
        """A message older than the first counts as stored with it."""
        file = self.make()
        file.append([(3, 100, 50_000), (3, 200, 10_000)])
        self.assertEqual(self.find(file, 3, begin=50_000), [200, 100])


class FindTests(IndexFileCase):
    """Searching is bounded by time and by steps."""

    def test_times(self) -> None:
        """Entries outside the bounds are left out, to the second."""
        file = self.make()
        file.append([(3, second, second * 1000) for second in range(1, 10)])
        self.assertEqual(self.find(file, 3, 4000, 6000), [6, 5, 4])
        self.assertEqual(self.find(file, 3, 4999, 5999), [5, 4])
        self.assertTrue(file.overlaps(9000, 1 << 62))
        self.assertFalse(file.overlaps(9001, 1 << 62))
        self.assertFalse(file.overlaps(0, 999))

    def test_steps(self) -> None:
        """A search ends when its steps are used up, hits or none."""
        file = self.make(max_count=2000)
        file.append([(3, offset, 1000) for offset in range(1500)])
        steps = Steps(1000)
        self.assertEqual(list(file.find(13, 0, 1 << 62, steps)), [])
        self.assertEqual(steps.left, 0)
        self.assertEqual(len(list(file.find(3, 0, 1 << 62, Steps(5000)))), 1500)

    def test_damaged_chains_end(self) -> None:
        """An entry that leads to itself, ahead or nowhere ends the chain."""
        for previous in (2, 3, 19, -1, 1_000_000):
            file = self.make()
            file.append([(3, 100, 1000), (3, 200, 1000)])
            with open(file.path, "r+b") as changed:
                changed.seek(40 + 4 * 10 + 2 * 20 + 16)
                changed.write(previous.to_bytes(4, "big", signed=True))
            self.assertEqual(self.find(file, 3), [200], previous)

    def test_damaged_slot(self) -> None:
        """A slot that points behind the entries is empty; so it is for new ones."""
        file = self.make()
        file.append([(3, 100, 1000)])
        with open(file.path, "r+b") as changed:
            changed.seek(40 + 4 * 3)
            changed.write(b"\0\0\0\x0b")
        self.assertEqual(self.find(file, 3), [])
        file.append([(3, 200, 1000)])
        self.assertEqual(self.find(file, 3), [200])


class LoadTests(IndexFileCase):
    """Files that cannot be right are refused."""

    def test_faults(self) -> None:
        """The reason is a sentence."""
        for at, value, word in (
            (36, 0, "entries"),
            (36, 21, "entries"),
            (32, 3, "slots"),
            (16, 1 << 30, "covers"),
        ):
            file = self.make()
            file.append([(3, 100, 1000)])
            with open(file.path, "r+b") as changed:
                changed.seek(at)
                changed.write(value.to_bytes(4, "big"))
            self.assertIn(word, file.load() or "")

    def test_wrong_size(self) -> None:
        """A file of another length is not read."""
        file = self.make()
        os.truncate(file.path, 100)
        self.assertIn("100 bytes", file.load() or "")
