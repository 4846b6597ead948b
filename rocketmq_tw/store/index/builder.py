"""
Builds the index in the background.

The builder follows the commit log at its own position, so sends pay nothing for it.
While messages keep arriving it uses 2 ms out of every 50. It runs without pauses when
no messages arrive, when a query waits, when the store closes, or when it is more than
256 MiB behind.

Parts of the log that are not in the page cache are read in the store's threads
(:mod:`rocketmq_tw.store.index.log_reader`)::

    STOPPED    start                   SCHEDULED
    SCHEDULED  time is over, a query   INDEXING
    INDEXING   more of the log         SCHEDULED
    INDEXING   all is indexed          IDLE
    IDLE       the next record         SCHEDULED
    IDLE       a query                 INDEXING
    INDEXING   not in the page cache   READING
    READING    read, or skipped        SCHEDULED
    INDEXING   the disk fails          FAILED
    FAILED     time is over, a query   INDEXING
    any        stop                    STOPPED

Source: ``IndexService.buildIndex`` and ``ReputMessageService`` of RocketMQ 5.
"""

from collections.abc import Callable
from enum import Enum

from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.clock import wall_time
from rocketmq_tw.store.index.entries import Entries
from rocketmq_tw.store.index.file import Entry, IndexFile
from rocketmq_tw.store.index.files import IndexFiles
from rocketmq_tw.store.index.keys import is_blank
from rocketmq_tw.store.index.log_reader import LogReader
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.threads import RunInThread

#: The most bytes of log that one slice indexes.
_SLICE = 2 << 20
_SLICE_TIME = 0.002
_HURRIED_SLICE_TIME = 0.005
#: Seconds until the next slice: while messages arrive, and after an error.
_PAUSE = 0.05
_ERROR_PAUSE = 1.0
#: Bytes; when indexing is further behind than this, it runs without pauses.
MAX_LAG = 256 << 20
#: The same for the log of a slave: that it follows its master comes first.
MAX_LAG_OF_COPY = 2 << 30


class _State(Enum):
    """The states in the table above."""

    STOPPED = "STOPPED"
    #: A slice is scheduled.
    SCHEDULED = "SCHEDULED"
    #: A slice is running.
    INDEXING = "INDEXING"
    #: A thread reads; the next slice is scheduled when it has ended.
    READING = "READING"
    #: Everything is indexed, and the dispatcher calls ``_wake`` with the next record.
    IDLE = "IDLE"
    #: The last slice failed, and another one is scheduled.
    FAILED = "FAILED"


class IndexBuilder:
    """
    Indexes one store. ``position`` is the commit log offset up to which all is indexed.

    ``on_flushed`` is called after the fsync of each full file, with its newest store
    time in ms.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        log: CommitLog,
        dispatcher: Dispatcher,
        readable_end: Callable[[], int],
        files: IndexFiles,
        clock: IReactorTime,
        run_in_thread: RunInThread,
        on_flushed: Callable[[int], None],
        max_lag: int = MAX_LAG,
    ) -> None:
        """Index ``log`` up to ``readable_end()``; nothing runs before :meth:`start`."""
        self.position = 0
        self._max_lag = max_lag
        self._commit_log = log
        self._dispatcher = dispatcher
        self._end = readable_end
        self._files = files
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._run_in_thread = run_in_thread
        self._on_flushed = on_flushed
        self._reader = LogReader(
            log=log, readable_end=readable_end, run_in_thread=run_in_thread
        )
        # Every full file is on disk, or will be: not a state of the indexing.
        self._is_flush_healthy = True
        self._one_at_a_time = DeferredLock()
        self._entries = Entries()
        self._call: IDelayedCall | None = None
        self._state = _State.STOPPED
        self._last_end = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []

    @property
    def lag(self) -> int:
        """Return how many bytes of the log are not indexed yet."""
        return max(0, self._end() - self.position)

    def start(self, position: int) -> None:
        """Follow the log from ``position``, the start of a record."""
        self.position = position
        self._step_after(0)

    def stop(self) -> None:
        """Stop indexing and fail everyone who waits in :meth:`caught_up`."""
        self._unschedule()
        self._state = _State.STOPPED
        self._fire_all(OSError("the index is closed"))

    def caught_up(self) -> "Deferred[None]":
        """
        Index everything that is in the log now; fires when that is done.

        Fails with OSError when the disk does. Cancelling it ends the hurry.
        """
        target = self._end()
        if self.position >= target:
            return succeed(None)
        if self._state is _State.STOPPED:
            return fail(OSError("the index is closed"))

        def forget(cancelled: "Deferred[None]") -> None:
            self._waiting = [pair for pair in self._waiting if pair[1] is not cancelled]

        waiting: Deferred[None] = Deferred(forget)
        self._waiting.append((target, waiting))
        if self._state in (_State.SCHEDULED, _State.FAILED, _State.IDLE):
            self._unschedule()
            self._step()
        return waiting

    def flush(self) -> "Deferred[None]":
        """Flush the newest file; fires when it is on disk, fails with OSError."""
        if not self._files.files:
            return succeed(None)
        newest = self._files.files[-1]
        return self._one_at_a_time.run(
            self._run_in_thread, lambda: self._files.fsync(newest)
        )

    def _step_after(self, seconds: float, state: _State = _State.SCHEDULED) -> None:
        """Schedule the next slice."""
        self._state = state
        self._call = self._clock.callLater(seconds, self._step)

    def _unschedule(self) -> None:
        """Cancel the next slice, and the wake-up by the next record."""
        self._dispatcher.cancel(self._wake)
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _step(self) -> None:
        """Index one slice, then schedule the next."""
        self._call = None
        before, self._state = self._state, _State.INDEXING
        try:
            self._slice()
        except OSError as error:
            if before is not _State.FAILED:
                self._log.failure("messages are not indexed for now")
            self._fire_all(error)
            if self._state is _State.INDEXING:
                self._step_after(_ERROR_PAUSE, _State.FAILED)
            return
        done = [pair for pair in self._waiting if pair[0] <= self.position]
        self._waiting = [pair for pair in self._waiting if pair[0] > self.position]
        for _, waiting in done:
            waiting.callback(None)
        if self._state is _State.INDEXING:
            self._schedule()

    def _schedule(self) -> None:
        """Schedule the next slice; if all is indexed, the next record does that."""
        end = self._end()
        is_quiet, self._last_end = end == self._last_end, end
        if not self.lag:
            self._state = _State.IDLE
            self._dispatcher.call_at_next(self._wake)
            return
        hurry = self._waiting or is_quiet or self.lag > self._max_lag
        self._step_after(0 if hurry else _PAUSE)

    def _wake(self) -> None:
        """Continue, because a new record has arrived."""
        if self._state is _State.IDLE:
            self._step_after(_PAUSE)

    def _slice(self) -> None:
        """Index for a few milliseconds, and what one read has at least."""
        hurry = bool(self._waiting) or self.lag > self._max_lag
        time = _HURRIED_SLICE_TIME if hurry else _SLICE_TIME
        until = self._clock.seconds() + time
        # Older files may be deleted, or the copy of a master's log begins later.
        self.position = max(self.position, self._commit_log.min_offset)
        last = self.position + _SLICE
        begin = self.position
        while self.lag and self.position < last:
            data = self._reader.read(self.position)
            if isinstance(data, Deferred):
                self._state = _State.READING
                data.addBoth(self._read_ended)
                return
            self._index(data)
            if self._clock.seconds() >= until:
                break
        if begin < self.position and not self.lag and self._files.files:
            self._files.files[-1].release_memory()

    def _index(self, data: bytes) -> None:
        """
        Index complete records at the start of ``data``, and advance behind them.
        """
        entries, behind = self._entries.of(data, self.position)
        self._add(entries)
        self.position += behind
        if not behind:
            self._skip_file(data)

    def _add(self, entries: list[Entry]) -> None:
        """Add entries to the current file, and to new ones as they fill up."""
        while entries:
            file = self._files.open_for(self._wall_time())
            part = entries[: file.capacity]
            entries = entries[file.capacity :]
            file.append(part)
            if not file.capacity:
                self._flush_full(file)

    def _skip_file(self, data: bytes) -> None:
        """Skip to the next file: the rest of this one is blank or damaged."""
        size = self._commit_log.files.file_size
        following = self._commit_log.files.base_of(self.position) + size
        if not is_blank(data, 0):
            self._log.error(
                "no record at {position} of the commit log; the rest of this file"
                " cannot be queried by key",
                position=self.position,
            )
        self.position = min(following, self._end())

    def _read_ended(self, result: object) -> None:
        """Continue with the next slice, behind a part that could not be read."""
        if isinstance(result, Failure):
            self._read_failed(result)
        if self._state is _State.READING:
            self._step_after(0)

    def _read_failed(self, failure: Failure) -> None:
        """
        Skip to the next existing file: the current one may have been deleted by age.
        """
        self._log.failure("part of the commit log cannot be indexed", failure=failure)
        files = self._commit_log.files
        following = files.base_of(self.position) + files.file_size
        self.position = min(max(following, self._commit_log.min_offset), self._end())

    def _flush_full(self, file: IndexFile) -> None:
        """Flush a full file after those before it, and report its newest store time."""

        def flushed(_: object) -> None:
            if self._is_flush_healthy:
                self._on_flushed(file.end_time_ms)

        def failed(failure: Failure) -> None:
            self._is_flush_healthy = False
            self._log.failure("an index file cannot be flushed", failure=failure)

        run = self._one_at_a_time.run
        done = run(self._run_in_thread, lambda: self._files.fsync(file))
        done.addCallbacks(flushed, failed)

    def _fire_all(self, error: OSError) -> None:
        """Fail everyone who waits."""
        waiting, self._waiting = self._waiting, []
        for _, each in waiting:
            each.errback(error)
