"""
Makes the parts of a message store and connects them.

No file is opened here: that begins with :meth:`MessageStore.open`.
"""

import os

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.store.admission import Admission
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.flush import FlushService
from rocketmq_tw.store.durability.queue_progress import QueueProgress
from rocketmq_tw.store.durability.recovery import Recovery
from rocketmq_tw.store.durability.retention import RetentionService
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.lock import AbortFile, StoreLock
from rocketmq_tw.store.files.mapped_reads import PART, MappedReads
from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.files.residency import find_residency
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.index.service import MessageIndex
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.deferred_dispatch import DeferredDispatch
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.removal import RemovalService
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.store.replica import ReplicaLog
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.store.source import LogSource
from rocketmq_tw.threads import RunInThread


class StoreThreads(msgspec.Struct, frozen=True):
    """
    Where blocking calls run: fsyncs of the log in ``flush``, all others in ``read``.
    """

    flush: RunInThread
    read: RunInThread


class StoreParts:
    """
    The parts of the store in one directory.

    ``deferred`` is set only for SYNC_FLUSH: messages are then dispatched after the
    fsync.
    """

    def __init__(
        self,
        root: str,
        clock: IReactorTime,
        config: StoreConfig,
        *,
        threads: StoreThreads,
        disk: Disk,
        lock: StoreLock | None,
        admission: Admission,
    ) -> None:
        """
        Make and connect them; ``admission`` is notified when messages must be refused.
        """
        self._root = root
        self._clock = clock
        self._config = config
        self._disk = disk
        self.files = OpenFiles(disk=disk)
        self.reads = Reads(threads.read, config.max_waiting_reads)
        self.lock = lock or StoreLock(self._path("lock"))
        self.abort = AbortFile(self._path("abort"), disk)
        self.log = CommitLog(self._path("commitlog"), config, self.files, threads.read)
        self.mapped = self._make_mapped()
        self.queues = ConsumeQueues(
            self._path("consumequeue"), config.consume_queue_file_bytes, self.files
        )
        self.dispatcher = Dispatcher(
            queues=self.queues, delay_levels_ms=config.delay_levels_ms
        )
        self.deferred: DeferredDispatch | None = None
        if config.sync_flush:
            self.deferred = DeferredDispatch(
                self.dispatcher,
                limit=config.max_unflushed_messages,
                max_size=config.max_unflushed_size,
                on_full=admission.set_unflushed,
            )
        self.checkpoint = StoreCheckpoint(self._path("checkpoint"), disk)
        self.source = LogSource(self.log, self.reads, self.dispatcher)
        self.progress = QueueProgress(
            path=self._path("consumequeue.checkpoint"),
            log=self.log,
            queues=self.queues,
            config=config,
            disk=disk,
        )
        self.recovery = self._make_recovery()
        self.flush = self._make_flush(threads, admission)
        self.runs = self._make_runs(admission)
        self.replica = self._make_replica(admission)
        self.index = self._make_index(threads.read)
        self.retention = self._make_retention(threads.read, admission)
        self.removal = RemovalService(self.queues.removed, threads.read)

    def _path(self, name: str) -> str:
        """Return the path of a file or directory in the store's directory."""
        return os.path.join(self._root, name)

    def _make_mapped(self) -> MappedReads:
        return MappedReads(
            self.log.files,
            open_files=self.files,
            clock=self._clock,
            residency=find_residency(PART),
            max_size=self._config.mapped_read_size,
        )

    def _make_runs(self, admission: Admission) -> RunWriter:
        return RunWriter(
            log=self.log,
            queues=self.queues,
            dispatcher=self.dispatcher,
            admission=admission,
            store_host=self._config.store_host,
            deferred=self.deferred,
            schedule_flush=self.flush.schedule,
        )

    def _make_replica(self, admission: Admission) -> ReplicaLog:
        return ReplicaLog(
            log=self.log,
            dispatcher=self.dispatcher,
            admission=admission,
            schedule_flush=self.flush.schedule if self._config.sync_flush else None,
            max_undispatched=self._config.max_unflushed_messages,
            safe_end=self._readable_end,
        )

    def _make_recovery(self) -> Recovery:
        return Recovery(
            log=self.log,
            queues=self.queues,
            dispatcher=self.dispatcher,
            checkpoint=self.checkpoint,
            known=self.progress.known,
            check_crc=self._config.check_crc_on_recover,
            now=self._clock.seconds,
        )

    def _make_flush(self, threads: StoreThreads, admission: Admission) -> FlushService:
        return FlushService(
            log=self.log,
            queues=self.queues,
            checkpoint=self.checkpoint,
            progress=self.progress,
            config=self._config,
            clock=self._clock,
            flush_in_thread=threads.flush,
            run_in_thread=threads.read,
            dispatch=None if self.deferred is None else self._dispatch_flushed,
            on_failure=admission.set_flush_failure,
        )

    def _make_index(self, run_in_thread: RunInThread) -> MessageIndex:
        return MessageIndex(
            directory=self._path("index"),
            log=self.log,
            dispatcher=self.dispatcher,
            readable_end=self._readable_end,
            checkpoint=self.checkpoint,
            config=self._config,
            clock=self._clock,
            run_in_thread=run_in_thread,
            disk=self._disk,
        )

    def _make_retention(
        self, run_in_thread: RunInThread, admission: Admission
    ) -> RetentionService:
        return RetentionService(
            log=self.log,
            queues=self.queues,
            index=self.index,
            config=self._config.retention,
            clock=self._clock,
            run_in_thread=run_in_thread,
            on_full=admission.set_disk_full,
            remember=self.flush.write_queues,
        )

    def _dispatch_flushed(self, end: int) -> int:
        """Dispatch what is on disk up to ``end``; return up to where that was done."""
        if self.deferred is None or self._config.is_replica:
            return self.replica.dispatch_flushed(end)
        return self.deferred.dispatch(end)

    def _readable_end(self) -> int:
        """Return the commit log offset up to which records may be read."""
        return self.log.end if self.deferred is None else self.flush.flushed
