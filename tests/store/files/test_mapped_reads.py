"""Tests of parts of the log that are mapped for reading."""

import gc
import mmap
import os
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.mapped_reads import (
    AT_ONCE,
    IDLE,
    MAX_FILES,
    PART,
    PAUSE,
    TRUST,
    MappedReads,
)
from rocketmq_tw.store.files.residency import Residency, find_residency
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles

#: Two parts and a quarter.
FILE_SIZE = 9 * PART // 4
#: What is read at once.
CHUNK = PART // 4


class KnownPages(Residency):
    """Has all pages in memory, or none; counts how often they were looked up."""

    def __init__(self) -> None:
        super().__init__(lambda *_: 0, PART)
        self.is_cold = False
        self.count = 0

    def is_resident(self, address: int, size: int) -> bool:
        """Do not look."""
        self.count += 1
        return not self.is_cold


class MappedCase(SynchronousTestCase):
    """Has a log of two files."""

    def setUp(self) -> None:
        """Write them; time begins at 0."""
        self.clock = Clock()
        self.open_files = OpenFiles()
        self.addCleanup(self.open_files.close)
        self.data = os.urandom(2 * FILE_SIZE)
        self.files = MappedFileQueue(self.mktemp(), FILE_SIZE, self.open_files)
        self.files.write(0, self.data)
        self.pages = KnownPages()
        self.mapped = self.reading()

    def reading(
        self, residency: Residency | None = None, max_size: int = 3 * PART
    ) -> MappedReads:
        """Map three parts at most."""
        mapped = MappedReads(
            self.files,
            open_files=self.open_files,
            clock=self.clock,
            residency=residency or self.pages,
            max_size=max_size,
        )
        self.addCleanup(mapped.close)
        return mapped

    def view(self, position: int, size: int = 10) -> bytes | None:
        """Read once, and copy."""
        view = self.mapped.view(position, size)
        return None if view is None else bytes(view)

    def use(self, *positions: int) -> None:
        """Read the parts of some positions until they are mapped."""
        for position in positions:
            start = position - position % self.files.file_size % PART
            size = min(CHUNK, self.files.rest(start))
            for _ in range(5):
                self.mapped.view(start, size)
            self.assertIsNotNone(self.view(position, 1), position)


class MappedTests(MappedCase):
    """What is read from a mapping."""

    def test_what_is_read_again(self) -> None:
        """A part that is read once is not mapped, nor is its last byte."""
        for _ in range(4):
            self.assertIsNone(self.view(0, CHUNK))
        self.assertEqual((self.mapped.size, self.pages.count), (0, 0))
        self.assertEqual(self.view(100, 50), self.data[100:150])
        self.assertEqual(self.view(PART - 1, 1), self.data[PART - 1 : PART])
        self.assertEqual(self.mapped.size, PART)
        self.assertIsNone(self.view(PART, 1))

    def test_all_positions(self) -> None:
        """In both files, also where two parts meet."""
        self.mapped = self.reading(max_size=10 * PART)
        for position in range(0, 2 * FILE_SIZE, CHUNK):
            self.use(position)
        for position in range(0, 2 * FILE_SIZE - 1, PART // 7):
            size = min(CHUNK, self.files.rest(position))
            expected = self.data[position : position + size]
            self.assertEqual(self.view(position, size), expected, position)
        self.assertEqual(self.mapped.size, 6 * PART)

    def test_what_is_not_mapped(self) -> None:
        """Too much at once, nothing, or beyond the end of the file."""
        self.use(0, PART, 2 * PART)
        self.assertEqual(len(self.view(1, PART) or b""), PART)
        self.assertIsNone(self.view(0, PART + 1))
        self.assertIsNone(self.view(0, 0))
        self.assertIsNone(self.view(5, -2))
        self.assertIsNone(self.view(FILE_SIZE - 5, 10))
        self.assertEqual(self.view(FILE_SIZE - 5, 5), self.data[FILE_SIZE - 5 :][:5])

    def test_no_file(self) -> None:
        """Before the first, and behind the last."""
        self.files.remove(0)
        for position in (0, 2 * FILE_SIZE, -PART):
            for _ in range(9):
                self.assertIsNone(self.view(position, CHUNK))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_file_that_cannot_be_mapped(self) -> None:
        """It is gone, or was cut, behind our back: nothing fails here."""
        os.truncate(self.files.path(0), PART)
        self.assertIsNone(self.view(0))
        self.open_files.close()
        os.unlink(self.files.path(0))
        self.assertIsNone(self.view(0))

    def test_not_to_be_written(self) -> None:
        """A view is for reading."""
        self.use(0)
        view = self.mapped.view(0, 5)
        assert view is not None
        self.assertTrue(view.readonly)


class ColdTests(MappedCase):
    """Pages that are not in memory."""

    def test_they_are_not_touched(self) -> None:
        """They are looked up again when the part was read once more."""
        self.pages.is_cold = True
        for _ in range(4 + 1 + 4):
            self.assertIsNone(self.view(0, CHUNK))
        self.assertEqual((self.mapped.size, self.pages.count), (0, 1))
        self.pages.is_cold = False
        self.assertEqual(self.view(0, CHUNK), self.data[:CHUNK])

    def test_one_of_two_parts(self) -> None:
        """Both must be in memory."""
        self.use(0)
        self.assertIsNone(self.view(PART - 5, 10))
        self.use(PART)
        self.assertEqual(self.view(PART - 5, 10), self.data[PART - 5 :][:10])

    def test_evicted(self) -> None:
        """That is noticed in a moment, and the part is not mapped any more."""
        self.use(0)
        self.pages.is_cold = True
        self.assertIsNotNone(self.view(0))
        self.clock.advance(1.1 * TRUST)
        self.assertIsNone(self.view(0))
        self.assertEqual(self.mapped.size, 0)
        self.pages.is_cold = False
        self.assertIsNone(self.view(0))
        self.clock.advance(IDLE)
        self.use(0)

    def test_short_of_memory(self) -> None:
        """Where pages were evicted, what is mapped is used, and no more is mapped."""
        self.use(0, PART)
        self.clock.advance(1.1 * TRUST)
        self.pages.is_cold = True
        self.assertIsNone(self.view(0))
        self.pages.is_cold = False
        self.assertIsNotNone(self.view(PART))
        for _ in range(20):
            self.assertIsNone(self.view(0, CHUNK))
            self.assertIsNone(self.view(FILE_SIZE, CHUNK))
        self.assertEqual(self.mapped.size, PART)
        self.clock.advance(IDLE)
        self.use(0, FILE_SIZE)

    def test_looked_up_now_and_then(self) -> None:
        """Not for every read."""
        self.use(0)
        self.pages.count = 0
        for _ in range(100):
            self.view(0)
        self.assertEqual(self.pages.count, 0)
        self.clock.advance(1.1 * TRUST)
        for _ in range(100):
            self.assertIsNotNone(self.view(0))
        self.assertEqual(self.pages.count, 1)

    def test_pages_that_were_evicted(self) -> None:
        """What the system says is believed: a hole is not in memory, zeros are."""
        residency = find_residency(PART)
        assert residency is not None
        self.mapped = self.reading(residency)
        self.use(0)
        with open(self.files.path(FILE_SIZE), "r+b") as file:
            os.ftruncate(file.fileno(), 0)
            os.ftruncate(file.fileno(), FILE_SIZE)
            for _ in range(9):
                self.assertIsNone(self.view(FILE_SIZE, CHUNK))
            file.write(bytes(PART))
        self.use(FILE_SIZE)

    def test_unknown(self) -> None:
        """Where pages cannot be looked up, nothing is mapped."""
        self.mapped = MappedReads(
            self.files,
            open_files=self.open_files,
            clock=self.clock,
            residency=None,
            max_size=PART,
        )
        for _ in range(9):
            self.assertIsNone(self.view(0, CHUNK))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_system_that_cannot_populate(self) -> None:
        """There the pages are mapped when they are touched."""

        class OldMap(mmap.mmap):
            """A mapping of an old system."""

            def madvise(self, *arguments: int) -> None:
                """Know no such advice."""
                raise OSError(22, "invalid argument")

        self.patch(mmap, "mmap", OldMap)
        self.use(0)
        self.assertEqual(self.view(0), self.data[:10])


class LimitTests(MappedCase):
    """Few parts are mapped, and none at rest."""

    def test_others_are_read_otherwise(self) -> None:
        """While as much as may be is mapped, however often they are read."""
        self.use(0, PART, 2 * PART)
        for _ in range(50):
            self.assertIsNone(self.view(FILE_SIZE, CHUNK))
        self.assertEqual(self.mapped.size, 3 * PART)
        self.assertIsNotNone(self.view(0))

    def test_an_unused_one_makes_way(self) -> None:
        """After some time."""
        self.use(0, PART, 2 * PART)
        self.clock.advance(IDLE / 2)
        self.view(PART)
        self.clock.pump([IDLE / 2, 1])
        self.assertEqual(self.mapped.size, 3 * PART)
        self.clock.advance(IDLE / 2)
        self.view(PART)
        self.clock.advance(IDLE / 2)
        self.assertEqual(self.mapped.size, PART)
        self.use(FILE_SIZE)
        self.assertIsNotNone(self.view(PART))
        self.assertIsNone(self.view(0))

    def test_files(self) -> None:
        """Not more than some are mapped."""
        self.files.write(0, bytes(MAX_FILES * FILE_SIZE + 1))
        for base in range(0, (MAX_FILES + 1) * FILE_SIZE, FILE_SIZE):
            self.view(base)
        self.assertEqual(len(self.mapped._mapped), MAX_FILES)

    def test_none_at_all(self) -> None:
        """If that is set."""
        self.mapped = self.reading(max_size=0)
        for _ in range(9):
            self.assertIsNone(self.view(0, CHUNK))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_at_rest(self) -> None:
        """What is not used for some time is unmapped, and no timer is left."""
        self.use(0, FILE_SIZE)
        [first, second] = self.mapped._mapped.values()
        self.clock.pump([IDLE, IDLE])
        self.assertEqual((self.mapped.size, self.clock.getDelayedCalls()), (0, []))
        self.assertTrue(first.mapped.closed and second.mapped.closed)
        self.use(0)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_many_at_rest(self) -> None:
        """They are unmapped some at a time."""
        parts = 2 * AT_ONCE + 5
        self.files = MappedFileQueue(self.mktemp(), parts * PART, self.open_files)
        self.files.create(0)
        self.mapped = self.reading(max_size=parts * PART)
        self.use(*range(0, parts * PART, PART))
        self.clock.advance(IDLE + 1)
        for left in (AT_ONCE + 5, 5, 0):
            self.assertEqual(self.mapped.size, left * PART)
            self.clock.advance(PAUSE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed(self) -> None:
        """Then there is nothing, and no timer."""
        self.use(0)
        self.mapped.close()
        self.assertEqual((self.mapped.size, self.clock.getDelayedCalls()), (0, []))


class UnmappedTests(MappedCase):
    """Nothing is read of a file that is not there as it was."""

    def test_before_a_file_changes(self) -> None:
        """However it goes: only its own parts are unmapped, and before that."""
        removals = (
            lambda: self.files.truncate(5),
            lambda: self.files.truncate(0),
            lambda: self.files.remove(0),
            lambda: self.files.detach(0),
            lambda: self.files.clear(),
            lambda: self.open_files.forget_below(os.path.dirname(self.files.directory)),
        )
        for number, remove in enumerate(removals):
            self.setUp()
            self.use(0)
            [file] = self.mapped._mapped.values()
            remove()
            self.assertTrue(file.mapped.closed, number)
            self.assertEqual(self.mapped.size, 0)

    def test_other_files(self) -> None:
        """They stay mapped."""
        self.use(0, FILE_SIZE)
        self.files.remove(0)
        self.assertIsNone(self.view(0))
        self.assertEqual(self.view(FILE_SIZE), self.data[FILE_SIZE:][:10])
        self.assertEqual(self.mapped.size, PART)

    def test_a_view_that_somebody_keeps(self) -> None:
        """It stays good, and what it is in is unmapped once it is gone."""
        self.use(0)
        view = self.mapped.view(0, 10)
        assert view is not None
        [file] = self.mapped._mapped.values()
        mapped = weakref.ref(file.mapped)
        del file
        self.files.remove(0)
        self.assertEqual((self.mapped.size, bytes(view)), (0, self.data[:10]))
        self.assertIsNotNone(mapped())
        del view
        gc.collect()
        self.assertIsNone(mapped())

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["read"] * 9 + ["write", "truncate", "remove", "wait"]),
                st.integers(0, 3 * FILE_SIZE),
                st.integers(1, PART),
            ),
            max_size=60,
        )
    )
    def test_as_the_files(self, steps: list[tuple[str, int, int]]) -> None:
        """Whatever is read, written, truncated and removed, in any order."""
        residency = find_residency(PART)
        self.files.clear()
        self.mapped = self.reading(residency, max_size=4 * PART)
        self.files.write(0, self.data)
        for kind, position, size in steps:
            if kind == "write":
                self.files.write(position, os.urandom(size))
            elif kind == "truncate":
                self.files.truncate(position)
            elif kind == "remove":
                self.files.remove(self.files.base_of(position))
            elif kind == "wait":
                self.clock.advance(IDLE)
            else:
                found = self.view(position, size)
                if found is not None:
                    self.assertEqual(found, self.files.read(position, size))
        self.mapped.close()
