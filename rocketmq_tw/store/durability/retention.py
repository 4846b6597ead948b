"""
Deletes old files, and refuses messages while the disk is too full.

The disk is checked every ten seconds. The oldest files of the commit log are deleted
when their last write is older than ``reserved_time``, during the configured hours or at
any hour while the disk is fuller than ``max_used``. Above ``clean_forcibly`` files are
deleted whatever their age. Above ``warning`` messages are refused. The newest file is
never deleted. Consume queues and index files follow the log.

====================  =======  ========  =============================================
setting               default  bounds    when the disk is fuller, in percent
====================  =======  ========  =============================================
``max_used``          75       10 to 95  files that are old enough go at any hour
``clean_forcibly``    85       30 to 85  files go, old enough or not
``warning``           90       35 to 90  the same, and messages are refused
====================  =======  ========  =============================================

Files are unlinked in a thread. A reader that has such a file open can read on.

Source: ``DefaultMessageStore.CleanCommitLogService`` of RocketMQ 5; its numbers.
"""

import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from rocketmq_tw.clock import wall_time
from rocketmq_tw.store.config import RetentionConfig
from rocketmq_tw.store.errors import DiskFull
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.slices import Stopped, in_slices
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.threads import RunInThread

_FIRST_AFTER = 60.0
#: How many checks an operator's request lasts for.
ASKED = 20
#: Queues trimmed in one reactor iteration at most, and for how many seconds.
_AT_A_TIME = 50
_SLICE_TIME = 0.005


class Trimmed(Protocol):
    """Something that follows the minimum of the commit log: the index."""

    def trim(self, log_min: int) -> list[str]:
        """Forget records before ``log_min``; return the files to remove."""


class RetentionService:
    """
    Deletes old files of one store.

    ``on_full`` is called with the error for senders when the disk becomes too full, and
    with None when it no longer is. ``remember`` is called before files of the queues
    are removed, so that the queue checkpoint does not report them as lost.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        log: CommitLog,
        queues: ConsumeQueues,
        index: Trimmed,
        config: RetentionConfig,
        clock: IReactorTime,
        run_in_thread: RunInThread,
        on_full: Callable[[DiskFull | None], None],
        remember: Callable[[], object],
    ) -> None:
        """Keep references to these parts; nothing runs before :meth:`start`."""
        self._commit_log = log
        self._queues = queues
        self._index = index
        self._config = config.bounded()
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._run_in_thread = run_in_thread
        self._on_full = on_full
        self._remember = remember
        self._disk: Disk = log.files.disk
        self._is_full = False
        self._is_running = False
        self._began = 0.0
        self._asked = 0
        self._pausing: Deferred[None] = succeed(None)
        self._timer = LoopingCall(self._tick)
        self._timer.clock = clock

    def start(self) -> None:
        """Check the disk now, and then at every interval."""
        self._is_running = True
        self._began = self._clock.seconds()
        self.check_disk()
        self._timer.start(self._config.interval, now=False)

    def stop(self) -> None:
        """Stop the timer; an unlink that is running completes."""
        self._is_running = False
        self._pausing.cancel()
        if self._timer.running:
            self._timer.stop()

    def check_disk(self) -> int:
        """
        Check how full the disk is; report when it crosses the warning level.

        :returns: percent used; the larger one if log and queues are on two disks.
        """
        paths = (self._commit_log.files.directory, self._queues.directory)
        used, path = max(
            ((self._disk.used(path), path) for path in paths), key=itemgetter(0)
        )
        is_full = used > self._config.warning
        if is_full:
            self._on_full(DiskFull(path, used, self._config.warning))
        elif self._is_full:
            self._on_full(None)
        if is_full != self._is_full:
            self._is_full = is_full
            log = self._log.warn if is_full else self._log.info
            what = "refused" if is_full else "accepted again"
            log(
                "the disk of {path} is {used} % full: messages are {what}",
                path=path,
                used=used,
                what=what,
            )
        return used

    def set_config(self, config: RetentionConfig) -> None:
        """Have other settings from the next check on, except its interval."""
        self._config = config.bounded()

    def delete_expired(self) -> None:
        """Let the next :data:`ASKED` checks delete files as in the configured hours."""
        self._asked = ASKED

    def trim(self) -> "Deferred[None]":
        """Remove entries of deleted records from the queues and the index now."""
        return Deferred.fromCoroutine(self._follow())

    def _tick(self) -> "Deferred[None]":
        """
        Check the disk and delete files if necessary; an error does not end the timer.
        """
        done = Deferred.fromCoroutine(self._clean_if_due(self.check_disk()))
        return done.addErrback(
            lambda failure: self._log.failure("old files were not deleted", failure)
        )

    async def _clean_if_due(self, used: int) -> None:
        """Delete the files that are due now."""
        age, config = self._clock.seconds() - self._began, self._config
        if age < _FIRST_AFTER and used <= config.clean_forcibly:
            return
        is_time = self._asked > 0
        self._asked = max(0, self._asked - 1)
        is_time |= time.localtime(self._wall_time()).tm_hour in config.hours
        if not is_time and used <= config.max_used:
            return
        at_once = config.clean_forcibly_enable and used > config.clean_forcibly
        count = await self._clean(at_once)
        if count:
            await self._follow()
            self.check_disk()
        elif at_once:
            self._log.warn(
                "the disk is {used} % full, and no file can be deleted", used=used
            )

    async def _clean(self, at_once: bool) -> int:
        """Delete the oldest files of the log; return how many."""
        files, count = self._commit_log.files, 0
        while self._is_running and count < self._config.batch:
            if len(files.bases) < 2:
                break
            path = files.path(files.bases[0])
            keep_until = self._disk.changed_at(path) + self._config.reserved_time
            if not at_once and self._wall_time() < keep_until:
                break
            if count and not await self._pause():
                break
            files.detach(files.bases[0])
            await self._unlink([path], files.directory)
            self._log.info(
                "{path} was deleted: it is old, or the disk is full", path=path
            )
            count += 1
        return count

    async def _pause(self) -> bool:
        """Pause between two files to spare the disk; return whether to continue."""
        self._pausing = deferLater(self._clock, self._config.pause)
        try:
            await self._pausing
        except CancelledError:
            return False
        return self._is_running

    async def _follow(self) -> None:
        """Remove entries of deleted records from the queues and the index."""
        removed: list[str] = []
        try:
            await in_slices(
                self._trim_queues(removed), self._clock, lambda: self._is_running
            )
        except Stopped:
            return
        if removed:
            self._queues.changes += 1
            await maybeDeferred(self._remember).addErrback(lambda _: None)
            removed = self._queues.without_used(removed)
        removed += self._index.trim(self._commit_log.min_offset)
        await self._unlink(removed)

    def _trim_queues(self, removed: list[str]) -> Iterator[None]:
        """Advance the queues' first offsets, in slices; collect the files to remove."""
        # The entries are old, so reading them may have to wait for the disk.
        until = self._clock.seconds() + _SLICE_TIME
        for number, queue in enumerate(list(self._queues.table.values())):
            before = queue.min_offset
            removed += queue.trim(self._commit_log.min_offset)
            if queue.min_offset != before:
                self._queues.note(queue)
            if number % _AT_A_TIME == _AT_A_TIME - 1 or self._clock.seconds() >= until:
                yield
                until = self._clock.seconds() + _SLICE_TIME

    async def _unlink(self, paths: list[str], directory: str | None = None) -> None:
        """Unlink files in a thread."""

        def unlink() -> None:
            for path in paths:
                self._disk.remove(path)
            if directory is not None:
                self._disk.fsync([directory])

        await self._run_in_thread(unlink)
