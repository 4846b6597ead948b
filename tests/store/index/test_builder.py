"""Tests of the builder of the index: when it works, and who waits for it."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rocketmq_tw.store.index.builder import MAX_LAG, IndexBuilder
from rocketmq_tw.store.index.entries import ENTRIES
from rocketmq_tw.store.index.file import IndexFile
from rocketmq_tw.store.index.files import IndexFiles
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.testing import ManualThreads
from tests.store.cases import NOW, SIZE, StoreCase, draft
from tests.store.index.cases import cold_log

#: A little more than the pause between two slices.
PAUSE = 0.06


class Slow:
    """
    A clock on which each look takes longer than a slice.

    :param look: called whenever a slice is scheduled.
    """

    def __init__(self, clock: Clock, look: Callable[[], object]) -> None:
        self._clock = clock
        self._look = look
        self._ahead = 0.0

    def seconds(self) -> float:
        """Advance."""
        self._ahead += 0.01
        return self._clock.seconds() + self._ahead

    def callLater(self, delay: float, *call: Any) -> Any:  # noqa: N802
        """Schedule."""
        self._look()
        return self._clock.callLater(delay, *call)


class FullDirectory(IndexFiles):
    """Files on a disk that is full while the test says so."""

    is_full = False

    def open_for(self, now: float) -> IndexFile:
        """Refuse a new file, or make it."""
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().open_for(now)


class BuilderCase(StoreCase):
    """A builder that follows the log of a store without an index of its own."""

    def setUp(self) -> None:
        """Start it on an empty log."""
        super().setUp()
        self.store = self.open(message_index_enable=False)
        self.threads = ManualThreads()
        self.files = FullDirectory(self.path("index"), slots=10, max_count=5)
        self.addCleanup(self.files.close)
        self.flushed: list[int] = []
        self.builder = self.build(self.store._log)

    def build(
        self, log: CommitLog, clock: Any = None, max_lag: int = MAX_LAG
    ) -> IndexBuilder:
        """Start a builder at the beginning of a log."""
        builder = IndexBuilder(
            log=log,
            dispatcher=self.store._dispatcher,
            readable_end=lambda: self.store.commit_log_max,
            files=self.files,
            clock=clock or self.clock,
            run_in_thread=self.threads,
            on_flushed=self.flushed.append,
            max_lag=max_lag,
        )
        builder.start(0)
        self.clock.advance(0)
        self.addCleanup(builder.stop)
        return builder

    def put(self, count: int = 1) -> None:
        """Store messages with a key each."""
        for _ in range(count):
            self.store.put(draft(properties=b"KEYS\x01key\x02"), NOW)

    def entries(self) -> int:
        """Count what is indexed."""
        return sum(file.count - 1 for file in self.files.files)

    def caught_up(self) -> "Deferred[None]":
        """Wait for the index, and see that this is necessary."""
        self.assertGreater(self.builder.lag, 0)
        return self.builder.caught_up()


class BuilderTests(BuilderCase):
    """When it works, and who waits for it."""

    def test_sends_pay_nothing(self) -> None:
        """A message is indexed a little later, not with the send."""
        self.put()
        self.clock.advance(0)
        self.assertEqual((self.entries(), self.builder.lag), (0, SIZE - 1))
        self.clock.advance(PAUSE)
        self.assertEqual((self.entries(), self.builder.lag), (1, 0))

    def open_with_many_keys(self, name: str) -> None:
        """Store 20 messages of 1,500 keys each; a slow slice indexes three of them."""
        self.store.close()
        self.store = self.open(
            name, message_index_enable=False, commit_log_file_size=1 << 20
        )
        for _ in range(20):
            self.put_many_keys()
        self.files = FullDirectory(self.path(name + "i"), slots=10, max_count=100_000)
        self.addCleanup(self.files.close)

    def put_many_keys(self) -> None:
        """Store one more."""
        keys = " ".join(f"k{n}" for n in range(1500)).encode()
        self.store.put(draft(properties=b"KEYS\x01" + keys + b"\x02"), NOW)

    def test_far_behind(self) -> None:
        """While messages arrive it pauses, unless it is too far behind."""
        for max_lag, messages in ((0, 20), (MAX_LAG, 3)):
            self.open_with_many_keys(f"behind{max_lag}")
            slow = Slow(self.clock, lambda: None)
            self.build(self.store._log, slow, max_lag)
            self.assertEqual(self.entries(), messages * 1500)

    def test_many_keys(self) -> None:
        """However many keys there are, a slice makes a limited number of entries."""
        self.open_with_many_keys("many")
        counts = [0]
        slow = Slow(self.clock, lambda: counts.append(self.entries()))
        self.builder = self.build(self.store._log, slow)
        self.clock.pump([PAUSE] * 20)
        self.assertEqual(self.entries(), 20 * 1500)
        most = max(after - before for before, after in pairwise(counts))
        self.assertEqual(most, 3 * 1500)
        self.assertGreaterEqual(most, ENTRIES)

    def test_idle_without_messages(self) -> None:
        """Nothing is scheduled until the next record comes."""
        scheduled = len(self.clock.getDelayedCalls())
        self.clock.pump([PAUSE] * 3)
        self.assertEqual(len(self.clock.getDelayedCalls()), scheduled)
        self.put()
        self.clock.advance(PAUSE)
        self.assertEqual(self.entries(), 1)

    def test_a_query_hurries_it(self) -> None:
        """Who waits for the index has it at once."""
        self.put(2)
        self.successResultOf(self.caught_up())
        self.assertEqual(self.entries(), 2)
        self.successResultOf(self.builder.caught_up())

    def test_full_files_are_flushed(self) -> None:
        """In the thread, one after another; each is reported when it is on disk."""
        self.put(9)
        self.successResultOf(self.caught_up())
        self.assertEqual([each.count for each in self.files.files], [5, 5, 2])
        self.assertEqual((len(self.threads.work), self.flushed), (1, []))
        self.threads.run()
        self.assertEqual(self.flushed, [int(NOW * 1000)] * 2)

    def test_file_that_cannot_be_flushed(self) -> None:
        """It is not reported, nor is any later one: the disk is not trusted."""
        self.put(4)
        self.successResultOf(self.caught_up())
        self.threads.fail_with(OSError(5, "broken"))
        self.threads.run()
        self.threads.fail_with(None)
        self.put(4)
        self.successResultOf(self.caught_up())
        self.threads.run()
        self.assertEqual(self.flushed, [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_full_disk(self) -> None:
        """Who waits fails; it is logged once, and tried again after a second."""
        self.files.is_full = True
        self.put()
        self.failureResultOf(self.caught_up(), OSError)
        self.clock.advance(1.0)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.files.is_full = False
        self.clock.advance(0.9)
        self.assertEqual(self.entries(), 0)
        self.clock.advance(0.1)
        self.assertEqual(self.entries(), 1)

    def test_goes_on_in_the_next_file_of_the_log(self) -> None:
        """The filler at the end of a file of the log holds up nothing."""
        self.put(20)
        self.assertGreater(self.store.commit_log_max, 2000)
        self.successResultOf(self.caught_up())
        self.assertEqual((self.entries(), self.builder.lag), (20, 0))

    def test_the_pause_after_an_error_ends_with_a_query(self) -> None:
        """Who waits does not wait for the next attempt."""
        self.files.is_full = True
        self.put()
        self.failureResultOf(self.caught_up(), OSError)
        self.files.is_full = False
        self.successResultOf(self.caught_up())
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_a_later_error_is_logged(self) -> None:
        """It is a new one when indexing succeeded in between."""
        for _ in range(2):
            self.put(4)
            self.files.is_full = True
            self.failureResultOf(self.caught_up(), OSError)
            self.files.is_full = False
            self.clock.advance(1.0)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_stopped(self) -> None:
        """It indexes no more; who asks is refused."""
        self.put()
        self.builder.stop()
        self.clock.advance(PAUSE)
        self.assertEqual(self.entries(), 0)
        self.failureResultOf(self.caught_up(), OSError)


class ColdLogTests(BuilderCase):
    """A builder that follows a log which only threads can read."""

    def setUp(self) -> None:
        """Start it on two records."""
        super().setUp()
        self.builder.stop()
        self.put(2)
        self.builder = self.build(cold_log(self.path("commitlog")))

    def test_read_in_a_thread(self) -> None:
        """Nothing is indexed or scheduled until it has ended."""
        waited = self.caught_up()
        self.clock.pump([PAUSE] * 3)
        self.assertEqual((len(self.threads.work), self.entries()), (1, 0))
        self.threads.run()
        self.clock.advance(0)
        self.successResultOf(waited)
        self.assertEqual(self.entries(), 2)

    def test_messages_arrive_meanwhile(self) -> None:
        """They start no second thread."""
        self.put()
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.threads.work), 1)
        self.threads.run()
        self.clock.advance(0)
        self.assertEqual(self.entries(), 2)

    def test_cannot_be_read(self) -> None:
        """It is logged, and indexing continues behind it."""
        self.threads.fail_with(FileNotFoundError(2, "deleted by age"))
        self.threads.run()
        self.clock.advance(0)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.assertEqual((self.entries(), self.builder.lag), (0, 0))

    def test_stopped_meanwhile(self) -> None:
        """The end of the read schedules nothing."""
        waited = self.caught_up()
        self.builder.stop()
        self.failureResultOf(waited, OSError)
        scheduled = len(self.clock.getDelayedCalls())
        self.threads.run()
        self.assertEqual(len(self.clock.getDelayedCalls()), scheduled)
        self.assertEqual(self.entries(), 0)
