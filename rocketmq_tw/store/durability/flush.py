"""
Flushing to disk.

ASYNC_FLUSH runs three timers. The commit log is flushed every half second if at least
four pages are new or ten seconds have passed. New consume queue entries are written
every second and flushed every minute; then the checkpoint is updated. SYNC_FLUSH also
flushes the log for each group of senders (:mod:`.log_flush`).

After a failed fsync the store refuses messages until it is opened again, which runs
recovery. A file of a consume queue may be missing: its topic was deleted, or it can be
rebuilt.

Source: ``FlushRealTimeService`` and ``FlushConsumeQueueService`` of RocketMQ 5.
"""

import os
from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.group_commit import FlushWaiters
from rocketmq_tw.store.durability.health import DiskHealth
from rocketmq_tw.store.durability.log_flush import LogFlush
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition
from rocketmq_tw.store.durability.queue_progress import QueueProgress
from rocketmq_tw.store.durability.release import Dispatch, Release
from rocketmq_tw.store.durability.shared_work import SharedWork
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.store.interfaces import FlushOutcome
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.threads import RunInThread

_PAGE = 4096


class FlushService:
    """
    Flushes the files of one store.

    ``dispatch`` is called with the commit log offset up to which everything is on disk,
    when it advances (:mod:`.release`). While flushing does not work the store refuses
    messages: ``on_failure`` is called with the reason when that changes.
    """

    def __init__(
        self,
        *,
        log: CommitLog,
        queues: ConsumeQueues,
        checkpoint: StoreCheckpoint,
        progress: QueueProgress,
        config: StoreConfig,
        clock: IReactorTime,
        flush_in_thread: RunInThread,
        run_in_thread: RunInThread,
        dispatch: Dispatch | None,
        on_failure: Callable[[str | None], None],
    ) -> None:
        """
        Keep references to these parts; nothing runs before :meth:`start`.

        :param flush_in_thread: runs an fsync of the log.
        :param run_in_thread: runs all other fsyncs.
        """
        self._progress = progress
        self._commit_log = log
        self._queues = queues
        self._checkpoint = checkpoint
        self._config = config
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._waiters = FlushWaiters(clock, config.sync_flush_timeout)
        self._health = DiskHealth(on_failure=on_failure, on_broken=self._broken)
        self._release = Release(
            clock=clock,
            waiters=self._waiters,
            dispatch=dispatch,
            on_released=self._released,
            on_failure=self._health.failed,
        )
        self._log_flush = LogFlush(
            log=log,
            health=self._health,
            clock=clock,
            run_in_thread=flush_in_thread,
            on_flushed=self._release.flushed,
            flushes_groups=config.sync_flush,
        )
        self.schedule = self._log_flush.schedule
        self._queues_lock = DeferredLock()
        #: Held while entries or checkpoints are written, in slices.
        self._writes_lock = DeferredLock()
        self._queue_writes = SharedWork(lambda: self._in_slices(self._write_queues))
        #: Consume queue files and checkpoints whose fsync has to be retried.
        self._to_retry: set[str] = set()
        intervals = {
            self._log_due: config.flush_commit_log_interval,
            self.write_queues: config.flush_consume_queue_interval,
            self.flush_queues: config.flush_consume_queue_thorough_interval,
        }
        self._timers = [
            (self._timer(action, clock), interval)
            for action, interval in intervals.items()
        ]

    @property
    def flushed(self) -> int:
        """Return the commit log offset up to which everything is on disk."""
        return self._log_flush.flushed

    @property
    def failure(self) -> str | None:
        """Return why flushing does not work; None if it does."""
        return self._health.failure

    @property
    def is_healthy(self) -> bool:
        """Return whether the disk has not failed for good."""
        return self._health.is_healthy

    def start(self) -> None:
        """Start the timers."""
        self._log_flush.start()
        for timer, interval in self._timers:
            timer.start(interval, now=False)

    def stop(self) -> None:
        """Stop the timers. A flush that is running completes."""
        for timer, _ in self._timers:
            if timer.running:
                timer.stop()
        self._log_flush.stop()

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """
        Return a Deferred that fires when the log is on disk up to ``end``; None if it
        already is.

        :raises StoreNotWriteable: the disk failed before; if it fails later, so does
            the Deferred.
        """
        return self._waiters.wait(end) if self._has_to_wait(end) else None

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """
        Call ``waiter`` when the log is on disk up to ``end``; False if it already is.

        :raises StoreNotWriteable: the disk failed before.
        """
        if not self._has_to_wait(end):
            return False
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
        return self._log_flush.flush()

    def write_queues(self) -> "Deferred[None]":
        """
        Write the new queue entries and the checkpoint, without an fsync.

        Those who ask while something is being written share what is written next.
        """
        return self._queue_writes.ask()

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
        flushed.addCallback(lambda _: self._release.finish())
        flushed.addCallback(lambda _: self.flush_queues())
        return flushed.addBoth(self._stop_waiting)

    def _has_to_wait(self, end: int) -> bool:
        """Return whether the log is not on disk up to ``end``; then flush it soon."""
        if end <= self._log_flush.flushed:
            return False
        if not self._health.is_healthy:
            raise StoreNotWriteable(str(self.failure))
        self._log_flush.schedule()
        return True

    def _log_due(self) -> "Deferred[None]":
        """Flush the log if enough pages are new or the thorough interval has passed."""
        pages = self._commit_log.end // _PAGE - self.flushed // _PAGE
        if pages < self._config.flush_commit_log_least_pages and not self._waiters:
            waited = self._clock.seconds() - self._log_flush.last
            if waited < self._config.flush_commit_log_thorough_interval:
                return succeed(None)
        return self.flush_commit_log()

    def _released(self, position: LogPosition, store_time_ms: int) -> None:
        """Record how far the log is on disk and its messages are dispatched."""
        self._progress.log_flushed(position)
        self._checkpoint.confirmed_offset = position.last
        self._checkpoint.commit_log_time_ms = max(
            store_time_ms, self._checkpoint.commit_log_time_ms
        )

    def _in_slices(self, work: Callable[[], Iterator[None]]) -> "Deferred[None]":
        """
        Write in slices, behind what is being written already; all of it, also while the
        store closes.
        """
        return self._writes_lock.run(lambda: in_slices(work(), self._clock))

    def _write_queues(self) -> Iterator[None]:
        """Write the queue entries first, then the checkpoints that describe them."""
        if not self.is_healthy:
            return
        position = self._progress.write_target()
        yield from self._queues.flush_in_slices()
        self._checkpoint.write()
        yield from self._progress.queues_written(position)
        self._health.succeeded()

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
        dirty, self._to_retry = self._to_retry, set()
        await self._in_slices(lambda: self._queues.take_dirty(dirty))
        await self._fsync(list(dirty), self._to_retry)
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
        return flushed.addErrback(self._health.not_flushed, paths, retry)

    def _broken(self, why: str) -> None:
        """Fail everyone who waits, unless it is on disk: the message may be lost."""
        self._release.finish()
        self._waiters.fail(StoreNotWriteable(why))

    def _stop_waiting(self, result: object) -> object:
        """Fail everyone who still waits, because the store closes."""
        self._waiters.fail(StoreNotWriteable("it was closed"))
        self._log_flush.close()
        return result

    def _timer(
        self, action: Callable[[], "Deferred[None]"], clock: IReactorTime
    ) -> LoopingCall:
        """Return a timer that keeps running when ``action`` fails."""

        def tick() -> "Deferred[None]":
            done = action()
            return done.addErrback(self._health.failed)

        timer = LoopingCall(tick)
        timer.clock = clock
        return timer
