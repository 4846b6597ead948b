"""
Flushing the commit log: one fsync at a time, for all who wait.

With SYNC_FLUSH the log is flushed at the end of each reactor iteration that stored a
message. While an fsync runs, the next group gathers. When it ends, its senders get
their responses and are about to send again, so the next fsync waits for them, as long
as messages keep arriving: otherwise there would be two groups, and each message would
wait for two fsyncs.

A file of the log that was removed or replaced is a failed fsync too.

Source: ``GroupCommitService`` of RocketMQ 5.
"""

import errno
from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.store.durability.group_commit import Gathering
from rocketmq_tw.store.durability.health import DiskHealth
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition
from rocketmq_tw.store.files.synced import SyncedFiles
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.threads import RunInThread

#: The position on disk, and the store time of the message before it.
OnFlushed = Callable[[LogPosition, int], None]


class LogFlush:
    """
    Flushes one commit log.

    ``flushed`` is the offset up to which everything is on disk, ``last`` when that was
    flushed, in seconds. ``on_flushed`` is called when it advances.
    """

    def __init__(
        self,
        *,
        log: CommitLog,
        health: DiskHealth,
        clock: IReactorTime,
        run_in_thread: RunInThread,
        on_flushed: OnFlushed,
        flushes_groups: bool,
    ) -> None:
        """
        :param flushes_groups: whether everything is flushed soon: SYNC_FLUSH.
        """
        self.flushed = 0
        self.last = 0.0
        self._commit_log = log
        self._health = health
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._on_flushed = on_flushed
        self._flushes_groups = flushes_groups
        self._files = SyncedFiles(log.files.disk)
        self._lock = DeferredLock()
        self._gathering = Gathering()
        self._scheduled: IDelayedCall | None = None
        self._is_running = False

    def start(self) -> None:
        """Accept groups."""
        # What a killed process wrote is in the page cache, but perhaps not on the disk.
        files = self._commit_log.files
        files.dirty.update(files.path(base) for base in files.bases[-2:])
        self.flushed = self._commit_log.min_offset
        self.last = self._clock.seconds()
        self._is_running = True

    def stop(self) -> None:
        """Schedule nothing any more. A flush that is running completes."""
        self._is_running = False
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def close(self) -> None:
        """Close the file; nothing may be running."""
        self._files.close()

    def schedule(self, count: int = 0) -> None:
        """
        Flush the log at the end of this reactor iteration.

        Nothing is scheduled while a flush runs: its end checks for new records.

        :param count: how many messages were stored.
        """
        self._gathering.count += count
        if self._scheduled is None and self._is_running and not self._lock.locked:
            self._scheduled = self._clock.callLater(0, self._flush_group)

    def flush(self) -> "Deferred[None]":
        """Flush everything stored so far; fires when it is on disk."""
        return self._lock.run(self._flush)

    def _flush_group(self) -> None:
        """Flush the log for everyone who waits for it, once they have gathered."""
        self._scheduled = None
        if self._gathering.is_complete(self._clock.seconds()):
            self.flush().addErrback(self._health.failed)
        else:
            self._scheduled = self._clock.callLater(0, self._flush_group)

    def _flush(self) -> "Deferred[None]":
        """Flush everything that is in the log now."""
        log = self._commit_log
        if log.end == self.flushed or not self._health.is_healthy:
            return succeed(None)
        self._gathering.begin()
        position = LogPosition(log.end, log.last_offset)
        store_time_ms = log.last_store_time_ms
        written, active = log.take_dirty(), log.active_path
        files, lost = self._files, list[str]()
        flushed = self._run_in_thread(lambda: lost.extend(files.flush(written, active)))

        def on_disk(_: object) -> None:
            # The fsync of the kept file succeeds also when it was deleted.
            if active and not files.is_there(active, written.get(active)):
                lost.append(active)
            self._check(lost)

        flushed.addCallback(on_disk)
        flushed.addErrback(self._health.not_flushed, written, log.files.dirty)
        return flushed.addCallback(lambda _: self._advance(position, store_time_ms))

    def _check(self, lost: list[str]) -> None:
        """
        Accept that files are gone which retention deleted; no other may be.

        :raises FileNotFoundError: what was written is nowhere.
        """
        for path in lost:
            if not self._commit_log.files.is_detached(path):
                why = "it was removed or replaced while messages were written to it"
                raise FileNotFoundError(errno.ENOENT, why, path)

    def _advance(self, position: LogPosition, store_time_ms: int) -> None:
        """Record how far the log is on disk, and begin to gather the next group."""
        self.flushed = position.end
        self.last = self._clock.seconds()
        self._gathering.end()
        self._on_flushed(position, store_time_ms)
        if self._flushes_groups and self._commit_log.end > position.end:
            if self._scheduled is None and self._is_running:
                self._scheduled = self._clock.callLater(0, self._flush_group)
