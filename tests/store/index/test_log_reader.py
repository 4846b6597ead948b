"""Tests of reading the log for the index: at once, or in a thread."""

from twisted.internet.defer import Deferred

from rocketmq_tw.store.index.log_reader import LogReader
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.testing import ManualThreads
from tests.store.cases import NOW, SIZE, StoreCase, draft
from tests.store.index.cases import cold_log


class ReaderCase(StoreCase):
    """Has a store with two records, and threads that wait for the test."""

    def setUp(self) -> None:
        """Store the records."""
        super().setUp()
        self.store = self.open(message_index_enable=False)
        self.threads = ManualThreads()
        self.put(2)

    def put(self, count: int, body: bytes = b"Hello") -> None:
        """Store records."""
        for _ in range(count):
            self.store.put(draft(body), NOW)

    def log(self) -> CommitLog:
        """Return the log of the store."""
        return self.store._log

    def reader(self, log: CommitLog) -> LogReader:
        """Read a log up to the end of the store's."""
        return LogReader(
            log=log,
            readable_end=lambda: self.store.commit_log_max,
            run_in_thread=self.threads,
        )

    def stored(self, position: int, count: int) -> bytes:
        """Return bytes of the log."""
        return self.log().files.read(position, count)


class WarmTests(ReaderCase):
    """What is in the page cache is read at once."""

    def test_up_to_the_end_of_the_log(self) -> None:
        """Not the zeros behind it."""
        data = self.reader(self.log()).read(SIZE)
        self.assertEqual(data, self.stored(SIZE, SIZE))

    def test_up_to_the_end_of_a_file(self) -> None:
        """The next file is read by the next call."""
        self.put(10)
        reader = self.reader(self.log())
        self.assertEqual(reader.read(0), self.stored(0, 1000))
        end = self.store.commit_log_max
        self.assertEqual(reader.read(1000), self.stored(1000, end - 1000))
        self.assertEqual(self.threads.work, [])


class LargeRecordTests(ReaderCase):
    """A record that is larger than a chunk."""

    def test_read_whole(self) -> None:
        """The builder could not advance behind a part of it."""
        store = self.open(
            self.mktemp(), message_index_enable=False, commit_log_file_size=1 << 20
        )
        store.put(draft(bytes(100_000)), NOW)
        reader = LogReader(
            log=store._log,
            readable_end=lambda: store.commit_log_max,
            run_in_thread=self.threads,
        )
        data = reader.read(0)
        assert isinstance(data, bytes)
        self.assertEqual(len(data), store.commit_log_max)


class ColdTests(ReaderCase):
    """What is not in the page cache is read in a thread."""

    def setUp(self) -> None:
        """Read a log that is cold."""
        super().setUp()
        self.cold = self.reader(cold_log(self.path("commitlog")))

    def read(self, position: int) -> "Deferred[None]":
        """Read, and see that this waits for a thread."""
        waited = self.cold.read(position)
        assert isinstance(waited, Deferred)
        self.assertNoResult(waited)
        return waited

    def test_the_next_read_returns_it(self) -> None:
        """Once; a later read finds nothing in memory."""
        waited = self.read(0)
        self.threads.run()
        self.successResultOf(waited)
        self.assertEqual(self.cold.read(0), self.stored(0, 2 * SIZE))
        self.read(0)

    def test_another_position(self) -> None:
        """What was read ahead is dropped: it is not there."""
        self.read(0)
        self.threads.run()
        self.read(SIZE)
        self.read(0)

    def test_file_that_is_gone(self) -> None:
        """Reading fails; nothing is kept."""
        self.cold = self.reader(cold_log(self.mktemp()))
        waited = self.read(0)
        self.threads.run()
        self.failureResultOf(waited, FileNotFoundError)
        self.read(0)
