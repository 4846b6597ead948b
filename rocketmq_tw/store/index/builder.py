"""
Builds the index in the background.

The builder follows the commit log at its own position, so sends pay nothing for it.
While messages keep arriving it uses 2 ms out of every 50. It runs without pauses when
no messages arrive, when a query waits, when the store closes, or when it is more than
256 MiB behind.

Parts of the log that are not in the page cache are read in the store's threads.

Source: ``IndexService.buildIndex`` and ``ReputMessageService`` of RocketMQ 5.
"""

import os
from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.store.files.reads import NO_WAIT
from rocketmq_tw.store.index.file import Entry, IndexFile
from rocketmq_tw.store.index.files import IndexFiles
from rocketmq_tw.store.index.hash import KeyHash
from rocketmq_tw.store.index.keys import is_blank, keyed
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.record_layout import MAX_RECORD_SIZE

#: Bytes of log indexed between two checks of the clock: some 0.5 ms.
_CHUNK = 64 << 10
#: The most bytes of log that one slice indexes.
_SLICE = 2 << 20
_SLICE_TIME = 0.002
_HURRIED_SLICE_TIME = 0.005
#: Seconds until the next slice: while messages arrive, and after an error.
_PAUSE = 0.05
_ERROR_PAUSE = 1.0
#: Bytes; when indexing is further behind than this, it runs without pauses.
MAX_LAG = 256 << 20


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
    ) -> None:
        """Index ``log`` up to ``readable_end()``; nothing runs before :meth:`start`."""
        self.position = 0
        self._commit_log = log
        self._dispatcher = dispatcher
        self._end = readable_end
        self._files = files
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._on_flushed = on_flushed
        self._is_healthy = True
        self._one_at_a_time = DeferredLock()
        self._hash = KeyHash()
        self._call: IDelayedCall | None = None
        self._is_reading = False
        self._is_running = False
        # Everything is indexed, and the dispatcher calls _wake with the next record.
        self._is_idle = False
        self._has_failed = False
        self._read_ahead: tuple[int, bytes] = (-1, b"")
        self._last_end = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []

    @property
    def lag(self) -> int:
        """Return how many bytes of the log are not indexed yet."""
        return max(0, self._end() - self.position)

    def start(self, position: int) -> None:
        """Follow the log from ``position``, the start of a record."""
        self.position = position
        self._is_running = True
        self._call = self._clock.callLater(0, self._step)

    def stop(self) -> None:
        """Stop indexing and fail everyone who waits in :meth:`caught_up`."""
        self._is_running = self._is_idle = False
        self._dispatcher.cancel(self._wake)
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._fire_all(OSError("the index is closed"))

    def caught_up(self) -> "Deferred[None]":
        """
        Index everything that is in the log now; fires when that is done.

        Fails with OSError when the disk does. Cancelling it ends the hurry.
        """
        target = self._end()
        if self.position >= target:
            return succeed(None)
        if not self._is_running:
            return fail(OSError("the index is closed"))

        def forget(cancelled: "Deferred[None]") -> None:
            self._waiting = [pair for pair in self._waiting if pair[1] is not cancelled]

        waiting: Deferred[None] = Deferred(forget)
        self._waiting.append((target, waiting))
        if self._is_idle:
            self._dispatcher.cancel(self._wake)
            self._is_idle = False
            self._step()
        elif self._call is not None:
            self._call.cancel()
            self._call = None
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

    def _step(self) -> None:
        """Index one slice, then schedule the next."""
        self._call = None
        try:
            self._slice()
        except OSError as error:
            self._failed(error)
            return
        self._has_failed = False
        done = [pair for pair in self._waiting if pair[0] <= self.position]
        self._waiting = [pair for pair in self._waiting if pair[0] > self.position]
        for _, waiting in done:
            waiting.callback(None)
        if self._is_running and not self._is_reading and self._call is None:
            self._schedule()

    def _schedule(self) -> None:
        """Schedule the next slice; if all is indexed, the next record does that."""
        end = self._end()
        is_quiet, self._last_end = end == self._last_end, end
        if not self.lag:
            self._is_idle = True
            self._dispatcher.call_at_next(self._wake)
            return
        hurry = self._waiting or is_quiet or self.lag > MAX_LAG
        self._call = self._clock.callLater(0 if hurry else _PAUSE, self._step)

    def _wake(self) -> None:
        """Continue, because a new record has arrived."""
        self._is_idle = False
        if self._is_running and not self._is_reading and self._call is None:
            self._call = self._clock.callLater(_PAUSE, self._step)

    def _slice(self) -> None:
        """Index for a few milliseconds."""
        hurry = bool(self._waiting) or self.lag > MAX_LAG
        time = _HURRIED_SLICE_TIME if hurry else _SLICE_TIME
        until = self._clock.seconds() + time
        last = self.position + _SLICE
        begin = self.position
        while self.lag and self.position < last and self._clock.seconds() < until:
            data = self._read()
            if data is None:
                return
            self._index(data)
        if begin < self.position and not self.lag and self._files.files:
            self._files.files[-1].release_memory()

    def _index(self, data: bytes) -> None:
        """
        Index the complete records at the start of ``data`` and advance behind them.
        """
        base = self.position
        behind = 0
        entries: list[Entry] = []
        hash_code = self._hash
        for at, size, time_ms, topic, keys in keyed(data, 0, len(data)):
            behind = at + size
            for key in keys:
                entries.append((hash_code(topic + b"#" + key), base + at, time_ms))
        self._add(entries)
        self.position = base + behind
        if not behind:
            self._skip_file(data)

    def _add(self, entries: list[Entry]) -> None:
        """Add entries to the current file, and to new ones as they fill up."""
        while entries:
            file = self._files.open_for(self._clock.seconds())
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

    def _read(self) -> bytes | None:
        """
        Return the bytes at :attr:`position`, with at least one complete record if
        possible. None if they are not in the page cache; a thread reads them then.
        """
        position, data = self._read_ahead
        self._read_ahead = (-1, b"")
        if position == self.position:
            return data
        data = self._read_warm(_CHUNK)
        size = int.from_bytes(data[:4], "big")
        if len(data) >= 8 and (is_blank(data, 0) or size > MAX_RECORD_SIZE):
            return data
        files = self._commit_log.files
        left = files.base_of(self.position) + files.file_size - self.position
        left = min(left, self._end() - self.position)
        wanted = min(max(size, 8), left)
        if len(data) < wanted:
            data = self._read_warm(wanted)
        if len(data) >= wanted:
            return data
        self._read_cold(min(max(wanted, _CHUNK), left))
        return None

    def _read_warm(self, count: int) -> bytes:
        """Read what is in the page cache, up to the end of the log and of one file."""
        files = self._commit_log.files
        base = files.base_of(self.position)
        left = min(base + files.file_size, self._end()) - self.position
        if not files.has(base):
            return b""
        buffer = bytearray(min(count, left))
        descriptor = files.descriptor(base)
        try:
            position = self.position - base
            done = os.preadv(descriptor, [buffer], position, NO_WAIT or 0)
        except BlockingIOError:
            return b""
        except OSError:
            return os.pread(descriptor, len(buffer), self.position - base)
        return bytes(buffer[:done])

    def _read_cold(self, count: int) -> None:
        """Read in a thread, then continue with the next slice."""
        files = self._commit_log.files
        position = self.position
        base = files.base_of(position)
        path = files.path(base)

        def read() -> None:
            with open(path, "rb", buffering=0) as file:
                data = os.pread(file.fileno(), count, position - base)
            self._read_ahead = (position, data)

        def ended(result: object) -> None:
            self._is_reading = False
            if isinstance(result, Failure):
                self._read_failed(result)
            if self._is_running and self._call is None:
                self._call = self._clock.callLater(0, self._step)

        self._is_reading = True
        self._run_in_thread(read).addBoth(ended)

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
            if self._is_healthy:
                self._on_flushed(file.end_time_ms)

        def failed(failure: Failure) -> None:
            self._is_healthy = False
            self._log.failure("an index file cannot be flushed", failure=failure)

        run = self._one_at_a_time.run
        done = run(self._run_in_thread, lambda: self._files.fsync(file))
        done.addCallbacks(flushed, failed)

    def _failed(self, error: OSError) -> None:
        """Fail everyone who waits, and retry after a pause."""
        if not self._has_failed:
            self._log.failure("messages are not indexed for now")
        self._has_failed = True
        self._fire_all(error)
        if self._is_running and self._call is None:
            self._call = self._clock.callLater(_ERROR_PAUSE, self._step)

    def _fire_all(self, error: OSError) -> None:
        """Fail everyone who waits."""
        waiting, self._waiting = self._waiting, []
        for _, each in waiting:
            each.errback(error)
