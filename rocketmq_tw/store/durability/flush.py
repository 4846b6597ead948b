"""
Flushing to disk.

ASYNC_FLUSH runs three timers. The commit log is flushed every half second if at least
four pages are new or ten seconds have passed. New consume queue entries are written
every second and flushed every minute; then the checkpoint is updated. SYNC_FLUSH also
flushes the log at the end of each reactor iteration that stored a message, and again
when messages arrived during that fsync.

``run_in_thread`` runs each fsync, at most one of the log at a time. A failed fsync is
final: the kernel drops the pages that it could not write, so a later success would mean
nothing. The store then refuses messages until it is opened again, which runs recovery.
A file of the log that was removed or replaced is a failed fsync too. A file of a
consume queue may be missing: its topic was deleted, or it can be rebuilt.

Source: ``FlushRealTimeService``, ``GroupCommitService`` and
``FlushConsumeQueueService`` of RocketMQ 5.
"""

import errno
import os
from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.group_commit import FlushWaiters
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition
from rocketmq_tw.store.durability.queue_progress import QueueProgress
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.store.interfaces import FlushOutcome, FlushWaiter
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.threads import RunInThread

_PAGE = 4096
#: Errors of opening a file that do not mean that the disk failed.
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)


class FlushService:
    """
    Flushes the files of one store.

    ``flushed`` is the commit log offset up to which everything is on disk;
    ``on_flushed`` is called when it advances. ``failure`` is the reason why flushing
    does not work, or None; while it is set the store refuses messages. ``on_failure``
    is called when it changes. ``is_healthy`` is False once the disk has failed; then
    nothing is flushed any more.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        log: CommitLog,
        queues: ConsumeQueues,
        checkpoint: StoreCheckpoint,
        progress: QueueProgress,
        config: StoreConfig,
        clock: IReactorTime,
        run_in_thread: RunInThread,
        on_flushed: Callable[[int], None] | None,
        on_failure: Callable[[str | None], None],
    ) -> None:
        """Keep references to these parts; nothing runs before :meth:`start`."""
        self._progress = progress
        self.flushed = 0
        self.failure: str | None = None
        self.is_healthy = True
        self._on_flushed = on_flushed
        self._on_failure = on_failure
        self._commit_log = log
        self._queues = queues
        self._checkpoint = checkpoint
        self._config = config
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._waiters = FlushWaiters(clock, config.sync_flush_timeout)
        self._log_lock = DeferredLock()
        self._queues_lock = DeferredLock()
        #: Held while entries or checkpoints are written, in slices.
        self._writes_lock = DeferredLock()
        self._scheduled: IDelayedCall | None = None
        #: Consume queue files and checkpoints whose fsync has to be retried.
        self._to_retry: set[str] = set()
        self._is_running = False
        self._last_flush = 0.0
        intervals = {
            self._log_due: config.flush_commit_log_interval,
            self.write_queues: config.flush_consume_queue_interval,
            self.flush_queues: config.flush_consume_queue_thorough_interval,
        }
        self._timers = [
            (self._timer(action, clock), interval)
            for action, interval in intervals.items()
        ]

    def start(self) -> None:
        """Start the timers."""
        # What a killed process wrote is in the page cache, but perhaps not on the disk.
        files = self._commit_log.files
        files.dirty.update(files.path(base) for base in files.bases[-2:])
        self.flushed = self._commit_log.min_offset
        self._last_flush = self._clock.seconds()
        self._is_running = True
        for timer, interval in self._timers:
            timer.start(interval, now=False)

    def stop(self) -> None:
        """Stop the timers. A flush that is running completes."""
        self._is_running = False
        for timer, _ in self._timers:
            if timer.running:
                timer.stop()
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def schedule(self) -> None:
        """
        Flush the log at the end of this reactor iteration.

        Nothing is scheduled while a flush runs: its end checks for new records.
        """
        if self._scheduled is None and self._is_running and not self._log_lock.locked:
            self._scheduled = self._clock.callLater(0, self._flush_group)

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """
        Return a Deferred that fires when the log is on disk up to ``end``; None if it
        already is.

        :raises StoreNotWriteable: the disk failed before; if it fails later, so does
            the Deferred.
        """
        if end <= self.flushed:
            return None
        if not self.is_healthy:
            raise StoreNotWriteable(str(self.failure))
        self.schedule()
        return self._waiters.wait(end)

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """
        Call ``waiter`` when the log is on disk up to ``end``; False if it already is.

        :raises StoreNotWriteable: the disk failed before.
        """
        if end <= self.flushed:
            return False
        if not self.is_healthy:
            raise StoreNotWriteable(str(self.failure))
        self.schedule()
        self._waiters.add(waiter)
        return True

    def flush(self) -> "Deferred[None]":
        """
        Flush everything stored so far in the log; fires when it is on disk.

        Fails with OSError or StoreNotWriteable when the disk fails.
        """
        end = self._commit_log.end

        def check(_: object) -> None:
            if self.flushed < end:
                raise StoreNotWriteable(str(self.failure))

        return self.flush_commit_log().addCallback(check)

    def flush_commit_log(self) -> "Deferred[None]":
        """Flush the commit log; fires when it is on disk."""
        return self._log_lock.run(self._flush_commit_log)

    def write_queues(self) -> "Deferred[None]":
        """Write the new queue entries and the checkpoint, without an fsync."""
        return self._in_slices(self._write_queues)

    def flush_queues(self) -> "Deferred[None]":
        """Flush the consume queues and the checkpoint; fires when they are on disk."""
        return self._queues_lock.run(
            lambda: Deferred.fromCoroutine(self._flush_queues())
        )

    def flush_all(self) -> "Deferred[None]":
        """
        Flush the log, the queues and the checkpoint; fires with the first error, if
        any.

        Nothing is flushed if the disk has failed before.
        """
        flushed = self.flush_commit_log()
        flushed.addCallback(lambda _: self.flush_queues())
        return flushed.addBoth(self._stop_waiting)

    def _log_due(self) -> "Deferred[None]":
        """Flush the log if enough pages are new or the thorough interval has passed."""
        pages = self._commit_log.end // _PAGE - self.flushed // _PAGE
        if pages < self._config.flush_commit_log_least_pages and not self._waiters:
            waited = self._clock.seconds() - self._last_flush
            if waited < self._config.flush_commit_log_thorough_interval:
                return succeed(None)
        return self.flush_commit_log()

    def _flush_group(self) -> None:
        """Flush the log for everyone who waits for it."""
        self._scheduled = None
        self.flush_commit_log().addErrback(self._failed)

    def _flush_commit_log(self) -> "Deferred[None]":
        """Flush everything that is in the log now."""
        log = self._commit_log
        if log.end == self.flushed or not self.is_healthy:
            return succeed(None)
        position = LogPosition(log.end, log.last_offset)
        written = log.take_dirty()
        disk = log.files.disk
        lost: list[str] = []
        flushed = self._run_in_thread(lambda: lost.extend(disk.fsync_written(written)))
        flushed.addCallback(lambda _: self._check_lost(lost))
        flushed.addErrback(self._not_flushed, list(written), log.files.dirty)
        return flushed.addCallback(
            self._log_flushed, position, store_time_ms=log.last_store_time_ms
        )

    def _check_lost(self, lost: list[str]) -> None:
        """
        Accept that files are gone which retention deleted; no other may be.

        :raises FileNotFoundError: what was written is nowhere.
        """
        for path in lost:
            if not self._commit_log.files.is_detached(path):
                why = "it was removed or replaced while messages were written to it"
                raise FileNotFoundError(errno.ENOENT, why, path)

    def _log_flushed(
        self, _: object, position: LogPosition, *, store_time_ms: int
    ) -> None:
        """
        Record how far the log is on disk and release the waiters that this covers.
        """
        end = position.end
        self.flushed = end
        self._last_flush = self._clock.seconds()
        self._progress.log_flushed(position)
        self._checkpoint.confirmed_offset = position.last
        self._checkpoint.commit_log_time_ms = max(
            store_time_ms, self._checkpoint.commit_log_time_ms
        )
        if self._on_flushed is not None:
            self._on_flushed(end)
        self._waiters.reached(end)
        if self._config.sync_flush and self._commit_log.end > end:
            if self._scheduled is None and self._is_running:
                self._scheduled = self._clock.callLater(0, self._flush_group)

    def _in_slices(self, work: Callable[[], Iterator[None]]) -> "Deferred[None]":
        """Write in slices, behind what is being written already."""
        clock = self._clock
        return self._writes_lock.run(lambda: in_slices(work(), clock, _always))

    def _write_queues(self) -> Iterator[None]:
        """Write the queue entries first, then the checkpoints that describe them."""
        if not self.is_healthy:
            return
        position = self._progress.write_target()
        yield from self._queues.flush_in_slices()
        self._checkpoint.write()
        yield from self._progress.queues_written(position)
        if self.failure is not None:
            self._log.info("the store can be written again")
            self._set_failure(None)

    async def _flush_queues(self) -> None:
        """Flush all entries that the queues have now."""
        if not self.is_healthy:
            return
        stored = self._commit_log.last_store_time_ms
        if self._config.sync_flush:
            # Queue entries are made after the fsync, so they reach no further than
            # this.
            stored = self._checkpoint.commit_log_time_ms
        position = self._progress.flush_target()
        await self._in_slices(self._queues.flush_in_slices)
        paths = [*self._queues.take_dirty(), *self._to_retry]
        self._to_retry.clear()
        await self._fsync(paths, self._to_retry)
        self._checkpoint.consume_queue_time_ms = max(
            stored, self._checkpoint.consume_queue_time_ms
        )
        self._checkpoint.write()
        await self._in_slices(lambda: self._progress.queues_flushed(position))
        path = self._checkpoint.path
        paths = [path, *self._progress.paths, os.path.dirname(path)]
        await self._fsync(paths, self._to_retry)

    def _fsync(self, paths: list[str], retry: set[str]) -> "Deferred[None]":
        """
        Flush files in a thread; ``retry`` collects the paths that have to be retried.
        """
        disk = self._commit_log.files.disk
        flushed = self._run_in_thread(lambda: disk.fsync(paths))
        return flushed.addErrback(self._not_flushed, paths, retry)

    def _not_flushed(
        self, failure: Failure, paths: list[str], retry: set[str]
    ) -> Failure:
        """
        Mark the disk as failed for good, and fail everyone who waits.

        Running out of file descriptors is different: no fsync was tried, so it is
        retried.
        """
        if getattr(failure.value, "errno", None) in _NO_DESCRIPTOR:
            retry.update(paths)
        elif self.is_healthy:
            self.is_healthy = False
            why = f"the disk failed, it is read-only now: {failure.value}"
            self._set_failure(why)
            self._log.failure(
                "an fsync failed, the disk may be broken; the store refuses messages"
                " until the broker is restarted",
                failure=failure,
            )
            self._waiters.fail(StoreNotWriteable(why))
        return failure

    def _set_failure(self, why: str | None) -> None:
        """Set :attr:`failure` and report it."""
        self.failure = why
        self._on_failure(why)

    def _stop_waiting(self, result: object) -> object:
        """Fail everyone who still waits, because the store closes."""
        self._waiters.fail(StoreNotWriteable("it was closed"))
        return result

    def _timer(
        self, action: Callable[[], "Deferred[None]"], clock: IReactorTime
    ) -> LoopingCall:
        """Return a timer that keeps running when ``action`` fails."""

        def tick() -> "Deferred[None]":
            done = action()
            return done.addErrback(self._failed)

        timer = LoopingCall(tick)
        timer.clock = clock
        return timer

    def _failed(self, failure: Failure) -> None:
        """Refuse messages until a flush succeeds again."""
        if self.is_healthy:
            self._set_failure(self.failure or str(failure.value))
            self._log.failure("the store cannot be flushed", failure=failure)


def _always() -> bool:
    """Entries are written to the end, also while the store closes."""
    return True
