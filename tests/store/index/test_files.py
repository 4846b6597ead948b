"""Tests of the index files of a store: their names, and which of them are kept."""

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.index.files import IndexFiles
from tests.store.cases import NOW

#: Entries that a file of ten takes: the first one is never used.
CAPACITY = 9


class IndexFilesTests(SynchronousTestCase):
    """Files of ten entries in one directory."""

    def setUp(self) -> None:
        """Begin with no directory."""
        self.directory = self.mktemp()
        self.files = self.make()

    def make(self) -> IndexFiles:
        """Make another table of the same directory."""
        files = IndexFiles(self.directory, slots=4, max_count=10)
        self.addCleanup(files.close)
        return files

    def fill(self, *times_ms: int) -> None:
        """Fill a file for each store time; offsets are 1000 apart."""
        for time_ms in times_ms:
            file = self.files.open_for(NOW)
            offset = 1000 * len(self.files.files)
            file.append([(1, offset, time_ms)] * CAPACITY)

    def names(self) -> list[str]:
        """List the directory."""
        return sorted(os.listdir(self.directory))

    def loaded(self, trusted_time_ms: int | None = None) -> list[int]:
        """Load the directory anew. :returns: the newest store time of each file."""
        files = self.make()
        files.load(trusted_time_ms)
        return [file.end_time_ms for file in files.files]

    def test_no_directory(self) -> None:
        """It is made with the first file, not by loading."""
        self.assertEqual(self.loaded(), [])
        self.assertFalse(os.path.exists(self.directory))

    def test_one_file_until_it_is_full(self) -> None:
        """Then the next one; each is named by its time, to the millisecond."""
        first = self.files.open_for(NOW + 0.25)
        self.assertIs(self.files.open_for(NOW + 60), first)
        first.append([(1, 0, 0)] * CAPACITY)
        self.assertIsNot(self.files.open_for(NOW + 60), first)
        stamp = time.strftime("%Y%m%d%H%M%S", time.localtime(NOW))
        self.assertEqual(self.names()[0], f"{stamp}250")

    def test_clock_that_went_back(self) -> None:
        """A new file's name is behind the others all the same."""
        self.fill(1)
        self.files.open_for(NOW - 3600)
        in_order = [os.path.basename(file.path) for file in self.files.files]
        self.assertEqual((in_order, len(in_order)), (self.names(), 2))

    def test_loads_in_order(self) -> None:
        """After a good stop all files are kept, the newest one open for more."""
        self.fill(1000, 2000)
        self.files.open_for(NOW).append([(1, 5000, 3000)])
        self.assertEqual(self.loaded(), [1000, 2000, 3000])

    def test_after_a_crash(self) -> None:
        """Full files up to the trusted time are kept; what is newer is removed."""
        self.fill(1000, 2000, 3000)
        self.assertEqual(self.loaded(2000), [1000, 2000])
        self.assertEqual(len(self.names()), 2)

    def test_unfinished_file_after_a_crash(self) -> None:
        """One that is not full is removed, whatever its time."""
        self.fill(1000)
        self.files.open_for(NOW).append([(1, 5000, 1500)])
        self.assertEqual(self.loaded(9000), [1000])

    def test_damaged_file(self) -> None:
        """It is removed with all that is newer; the older ones are kept."""
        self.fill(1000, 2000, 3000)
        os.truncate(self.files.files[1].path, 100)
        self.assertEqual(self.loaded(), [1000])
        self.assertEqual(len(self.names()), 1)

    def test_other_files_are_left_alone(self) -> None:
        """Names that are not 17 digits belong to somebody else."""
        self.fill(1000)
        for name in ("2023", "x" * 17):
            with open(os.path.join(self.directory, name), "wb"):
                pass
        self.assertEqual(len(self.loaded()), 1)
        self.assertEqual(len(self.names()), 3)

    def test_trim(self) -> None:
        """Files that end before the log begins are detached, and named."""
        self.fill(1000, 2000, 3000)
        paths = [each.path for each in self.files.files]
        self.assertEqual(self.files.trim(1000), [])
        self.assertEqual(self.files.trim(2001), paths[:2])
        self.assertEqual([each.path for each in self.files.files], paths[2:])
