"""
Forcing to disk, in the background.

Three clocks run. The commit log is forced every half second. The tails of the consume
queues go to the kernel every second, and to the disk every minute; then the checkpoint
tells how far both are. fsync runs where ``in_thread`` puts it, and only one at a time.

Source: ``FlushRealTimeService`` and ``FlushConsumeQueueService`` of RocketMQ 5.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.store.checkpoint import StoreCheckpoint
from rocketmq_tw.store.commitlog import CommitLog
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.consume_queues import ConsumeQueues

#: Runs a blocking call elsewhere, like ``deferToThreadPool`` with its pool bound.
InThread = Callable[[Callable[[], None]], "Deferred[None]"]


class FlushService:
    """
    Flushes one store.

    ``flushed`` is the commit log offset up to which all is on disk. ``failure`` says
    why flushing does not work, or is None: the store takes no messages meanwhile.
    ``is_sound`` is False once the disk failed to keep what it was given.
    """

    _log = Logger()

    def __init__(
        self,
        log: CommitLog,
        queues: ConsumeQueues,
        checkpoint: StoreCheckpoint,
        checkpoint_path: str,
        config: StoreConfig,
        clock: IReactorTime,
        in_thread: InThread | None,
    ) -> None:
        """Flush these parts; nothing runs before :meth:`start`."""
        self.flushed = 0
        self.failure: str | None = None
        self.is_sound = True
        self._commit_log = log
        self._queues = queues
        self._checkpoint = checkpoint
        self._checkpoint_path = checkpoint_path
        self._in_thread = in_thread or _here
        self._one_at_a_time = DeferredLock()
        intervals = {
            self.flush_commit_log: config.flush_commit_log_interval,
            self.write_queues: config.flush_consume_queue_interval,
            self.flush_queues: config.flush_consume_queue_thorough_interval,
        }
        self._timers = [
            (self._timer(action, clock), interval)
            for action, interval in intervals.items()
        ]

    def start(self) -> None:
        """Begin to flush in the background."""
        # What a killed process wrote is with the kernel, perhaps not on the disk.
        files = self._commit_log.files
        files.dirty.update(files.path(base) for base in files.bases[-2:])
        self.flushed = self._commit_log.min_offset
        for timer, interval in self._timers:
            timer.start(interval, now=False)

    def stop(self) -> None:
        """Flush no more; a flush that runs goes on to its end."""
        for timer, _ in self._timers:
            if timer.running:
                timer.stop()

    def flush_commit_log(self) -> "Deferred[None]":
        """Force the commit log to disk; fires when it is."""
        return self._one_at_a_time.run(self._flush_commit_log)

    def write_queues(self) -> "Deferred[None]":
        """Hand the tails and the checkpoint to the kernel."""
        return maybeDeferred(self._write_queues)

    def flush_queues(self) -> "Deferred[None]":
        """Force the consume queues and the checkpoint to disk; fires when they are."""
        return self._one_at_a_time.run(self._flush_queues)

    def flush_all(self) -> "Deferred[None]":
        """Force all to disk; fires when it is, with the first error if there is one."""
        flushed = self.flush_commit_log()
        flushed.addCallback(lambda _: self.flush_queues())
        return flushed

    def _flush_commit_log(self) -> "Deferred[None]":
        """Force what the log has now."""
        log = self._commit_log
        if log.end == self.flushed:
            return maybeDeferred(lambda: None)
        now = (log.end, log.last_offset, log.last_store_time_ms)
        return self._force(log.take_dirty()).addCallback(self._log_flushed, *now)

    def _log_flushed(
        self, _: object, end: int, last_offset: int, store_time_ms: int
    ) -> None:
        """Remember how far the log is on disk."""
        self.flushed = end
        self._checkpoint.confirmed_offset = last_offset
        self._checkpoint.commit_log_time_ms = max(
            store_time_ms, self._checkpoint.commit_log_time_ms
        )

    def _write_queues(self) -> None:
        """Hand over the tails, then the numbers."""
        self._queues.flush()
        self._checkpoint.write()
        if self.failure is not None and self.is_sound:
            self._log.info("the store can be written again")
            self.failure = None

    def _flush_queues(self) -> "Deferred[None]":
        """Force what the queues have now."""
        stored = self._commit_log.last_store_time_ms
        self._queues.flush()
        paths = self._queues.take_dirty()
        return self._force(paths).addCallback(self._queues_flushed, stored)

    def _queues_flushed(self, _: object, store_time_ms: int) -> "Deferred[None]":
        """Remember how far the queues are on disk, and force that too."""
        self._checkpoint.consume_queue_time_ms = max(
            store_time_ms, self._checkpoint.consume_queue_time_ms
        )
        self._checkpoint.write()
        return self._force([self._checkpoint_path])

    def _force(self, paths: list[str]) -> "Deferred[None]":
        """Force files to disk, in the thread."""
        disk = self._commit_log.files.disk
        return self._in_thread(lambda: disk.force(paths)).addErrback(self._not_forced)

    def _not_forced(self, failure: Failure) -> Failure:
        """
        Remember that the disk failed, for good.

        The kernel drops the pages it could not write, so trying again would succeed
        and prove nothing.
        """
        self.is_sound = False
        self.failure = f"the disk failed: {failure.value}"
        return failure

    def _timer(
        self, action: Callable[[], "Deferred[None]"], clock: IReactorTime
    ) -> LoopingCall:
        """Make a timer that survives the errors of what it runs."""

        def tick() -> "Deferred[None]":
            done = action()
            return done.addErrback(self._failed)

        timer = LoopingCall(tick)
        timer.clock = clock
        return timer

    def _failed(self, failure: Failure) -> None:
        """Take no messages until it works; the timer goes on."""
        self.failure = self.failure or str(failure.value)
        self._log.failure("the store cannot be flushed", failure=failure)


def _here(work: Callable[[], None]) -> "Deferred[None]":
    """Run blocking work at once, in this thread."""
    return maybeDeferred(work)
