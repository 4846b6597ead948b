"""
The message store: the commit log, its consume queues, and what keeps them safe.

::

    <root>/commitlog/<offset>                     the messages
    <root>/consumequeue/<topic>/<queue>/<offset>  where each queue's messages lie
    <root>/index/<time>                           messages by key
    <root>/checkpoint  abort  lock                see those modules

Files that belong to features we do not have are left alone.

Source: ``DefaultMessageStore`` of RocketMQ 5.
"""

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.store.admission import NOT_OPEN, Admission, StoreState
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.flush import FlushService, RunInThread
from rocketmq_tw.store.durability.opening import explained, recovered
from rocketmq_tw.store.durability.queue_progress import QueueProgress
from rocketmq_tw.store.durability.retention import RetentionService
from rocketmq_tw.store.errors import StoreError
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.lock import AbortFile, StoreLock
from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.store.index.service import MessageIndex
from rocketmq_tw.store.interfaces import (
    Appended,
    Arrival,
    FlushOutcome,
    IMessageStore,
    Queried,
)
from rocketmq_tw.store.log.batch import (
    append_all,
    check_batch,
    dispatch_all,
    new_queue,
)
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.log.limits import MAX_PROPERTIES, check_sizes
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.deferred_dispatch import DeferredDispatch
from rocketmq_tw.store.queues.dispatch import UNQUEUED, Dispatcher
from rocketmq_tw.store.queues.fetch import (
    Fetched,
    FetchStatus,
    Matches,
    fetch,
    memory_size,
)
from rocketmq_tw.store.queues.search import (
    offset_by_time,
    queue_store_time,
    record_at,
    record_store_time,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.store.queues.verify import fetch_proven
from rocketmq_tw.wire.record import Draft

_T = TypeVar("_T")


@implementer(IMessageStore)
class MessageStore:
    """A store in one directory."""

    def __init__(
        self,
        root: str,
        clock: IReactorTime,
        config: StoreConfig | None = None,
        run_in_thread: RunInThread | None = None,
        disk: Disk | None = None,
        run_read_in_thread: RunInThread | None = None,
        *,
        lock: StoreLock | None = None,
    ) -> None:
        """
        Use the directory ``root``; nothing is touched before :meth:`open`.

        :param run_in_thread: runs an fsync of the log elsewhere; None runs it here.
        :param disk: what the files are on; None is the real one.
        :param run_read_in_thread: runs all else that waits; None is ``run_in_thread``.
        :param lock: acquired already, perhaps; None makes the one of ``root``.
        """
        disk = disk or Disk()
        config = config or StoreConfig()
        self._root = root
        self._clock = clock
        self._config = config
        self._largest = config.max_message_size
        self._refusal: str | None = NOT_OPEN
        self._admission = admission = Admission(self._set_refusal)
        self._memory_size = config.memory_size or memory_size()
        self._files = OpenFiles(disk=disk)
        run_read_in_thread = run_read_in_thread or run_in_thread
        self._reads = Reads(run_read_in_thread)
        self._log = CommitLog(os.path.join(root, "commitlog"), config, self._files)
        self._queues = ConsumeQueues(
            os.path.join(root, "consumequeue"),
            config.consume_queue_file_bytes,
            self._files,
        )
        self._table = self._queues.table
        self._lock = lock or StoreLock(os.path.join(root, "lock"))
        self._abort = AbortFile(os.path.join(root, "abort"), disk)
        path = os.path.join(root, "checkpoint")
        self._checkpoint = StoreCheckpoint(path, disk)
        dispatcher = Dispatcher(
            queues=self._queues, delay_levels_ms=config.delay_levels_ms
        )
        self._dispatcher = dispatcher
        parts = (self._log, self._queues)
        self._progress = QueueProgress(root, *parts, config, disk)
        flushing = (path, config, clock, run_in_thread, self._progress)
        self._flush = FlushService(*parts, self._checkpoint, *flushing)
        self._flush.on_flushed = self._flushed
        self._flush.on_failure = admission.set_flush_failure
        self._deferred = DeferredDispatch(dispatcher) if config.sync_flush else None
        read = (os.path.join(root, "index"), self._log, self._readable_end)
        self._index = MessageIndex(
            *read, self._checkpoint, config, clock, run_read_in_thread, disk
        )
        self._retention = RetentionService(
            *(self._log, self._queues, self._index, config.retention, clock),
            run_read_in_thread or maybeDeferred,
            admission.set_disk_full,
            self._flush.write_queues,
        )

    def open(self) -> "Deferred[None]":
        """
        Lock, load and recover the store. A large recovery gives way to the reactor.

        Fails with StoreLocked, or with StoreUnreadable: then nothing was changed.
        """
        try:
            self._lock.acquire()
        except StoreError:
            return fail()
        admission = self._admission
        admission.state = StoreState.OPENING
        opened = in_slices(
            self._load(), self._clock, lambda: admission.state is StoreState.OPENING
        )
        return opened.addCallbacks(self._opened, self._not_opened)

    def close(self) -> "Deferred[None]":
        """
        Take no more messages, force all to disk and unlock.

        Fails with OSError when the disk does: then ``abort`` stays, and the next start
        recovers from the commit log. It is unlocked all the same.
        """
        state, self._admission.state = self._admission.state, StoreState.CLOSED
        if state is not StoreState.OPEN:
            return succeed(None)
        self._retention.stop()
        self._flush.stop()
        closed = self._flush.flush_all()
        closed.addBoth(lambda done: self._index.close().addCallback(lambda _: done))
        return closed.addCallback(self._closed).addBoth(self._release)

    def put(self, draft: Draft, now: float) -> Appended:
        """
        Store one message; errors as in :class:`IMessageStore`.

        On the path of every message: 1.8 us with 128 bytes of body.
        """
        if self._refusal is not None:
            raise self._admission.error()
        if len(draft.body) > self._largest or len(draft.properties) > MAX_PROPERTIES:
            check_sizes(draft, self._largest)
        queue = self._table.get((draft.topic, draft.queue_id))
        if queue is None:
            queue = new_queue(self._queues, draft)
        store_time_ms = int(now * 1000)
        if self._deferred is not None or draft.sys_flag & UNQUEUED:
            return self._put_all([draft], queue, store_time_ms)[0]
        log = self._log
        queue_offset = queue.next
        at = log.append(draft, queue_offset, store_time_ms)
        size = log.end - at
        self._dispatcher.dispatch(queue, at, size, draft, store_time_ms)
        return Appended(at, size, queue_offset, store_time_ms)

    def put_batch(self, drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue in one file: all, or none."""
        if self._refusal is not None:
            raise self._admission.error()
        if not drafts:
            return []
        check_batch(drafts, self._largest)
        first = drafts[0]
        queue = self._table.get((first.topic, first.queue_id))
        if queue is None:
            queue = new_queue(self._queues, first)
        return self._put_all(drafts, queue, int(now * 1000))

    def add_listener(self, listener: Arrival) -> None:
        """Call ``listener`` with each arrival: see :class:`IMessageStore`."""
        self._dispatcher.add_listener(listener)

    def remove_listener(self, listener: Arrival) -> None:
        """Call ``listener`` no more."""
        self._dispatcher.remove_listener(listener)

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """Wait for the disk: see :class:`IMessageStore`."""
        return None if self._deferred is None else self._flush.when_flushed(end)

    def force(self) -> "Deferred[None]":
        """Force all messages to disk: see :class:`IMessageStore`."""
        return self._flush.force()

    def get(
        self,
        topic: str,
        queue_id: int,
        queue_offset: int,
        max_count: int,
        max_size: int,
        matches: Matches | None,
    ) -> "Fetched | Deferred[Fetched]":
        """Read records of one queue: see :func:`.queues.fetch.fetch`."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        what = (queue_offset, max_count, max_size, matches)
        known = (self._log, queue, self._reads, self._config, self._memory_size)
        read = fetch if queue_offset >= queue.unproven_end else fetch_proven
        return self._reads.run(read(*known, *what))

    def min_offset(self, topic: str, queue_id: int) -> int:
        """Return the oldest message's queue offset; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        return 0 if queue is None else queue.min_offset

    def max_offset(self, topic: str, queue_id: int) -> int:
        """Return the next message's queue offset; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        return 0 if queue is None else queue.next

    def offset_by_time(
        self, topic: str, queue_id: int, time_ms: int, upper: bool = False
    ) -> "int | Deferred[int]":
        """Return the queue offset a time points at; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return 0
        known = (self._log, queue, self._reads)
        return self._reads.run(offset_by_time(*known, time_ms, upper))

    def store_time(
        self, topic: str, queue_id: int, queue_offset: int
    ) -> "int | Deferred[int]":
        """Return when a message was stored, in ms; -1 when that is unknown."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return -1
        known = (self._log, queue, self._reads)
        return self._reads.run(queue_store_time(*known, queue_offset))

    def record_at(
        self, commit_log_offset: int
    ) -> "bytes | None | Deferred[bytes | None]":
        """Return the record that begins exactly there; None when none does."""
        return self._reads.run(record_at(self._log, self._reads, commit_log_offset))

    def query(
        self,
        topic: str,
        key: str,
        max_count: int,
        begin_ms: int,
        end_ms: int,
        unique: bool,
    ) -> "Deferred[Queried]":
        """Find messages by key: see :class:`IMessageStore`."""
        return self._index.query(topic, key, max_count, begin_ms, end_ms, unique)

    def earliest_store_time(self) -> "int | Deferred[int]":
        """Return when the oldest message was stored, in ms; -1 when there is none."""
        first = self._log.min_offset
        return self._reads.run(record_store_time(self._log, self._reads, first))

    def queues(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic that has queues."""
        return self._queues.by_topic()

    def delete_topic(self, topic: str) -> None:
        """Remove a topic's queues, for recovery too; the commit log is as it was."""
        if self._deferred is not None:
            self._deferred.forget(topic.encode())
        self._queues.delete_topic(topic)
        self._flush.write_queues().addErrback(lambda failure: None)

    @property
    def failure(self) -> str | None:
        """Return why no messages are taken now; None while they are."""
        return self._refusal

    @property
    def is_writeable(self) -> bool:
        """Return whether messages are taken now."""
        return self._refusal is None

    @property
    def commit_log_min(self) -> int:
        """Return the first offset that the commit log holds."""
        return self._log.min_offset

    @property
    def commit_log_max(self) -> int:
        """Return the offset that the next record gets."""
        return self._log.end

    @property
    def flushed(self) -> int:
        """Return the commit log offset up to which all is on disk."""
        return self._flush.flushed

    def _readable_end(self) -> int:
        """Return up to which commit log offset messages may be read."""
        return self._log.end if self._deferred is None else self._flush.flushed

    def _load(self) -> Iterator[None]:
        """Load and recover, a slice of work with each step."""
        was_aborted = self._abort.exists()
        parts = (
            self._log,
            self._queues,
            self._dispatcher,
            self._checkpoint,
            self._progress,
        )
        yield from recovered(*parts, self._abort, self._config, self._clock.seconds)
        self._index.load(was_aborted)

    def _opened(self, _: None) -> None:
        """Take messages from now on."""
        self._flush.start()
        self._index.start()
        self._admission.state = StoreState.OPEN
        self._retention.start()

    def _set_refusal(self, why: str | None) -> None:
        """Keep at hand why no messages are taken: each of them asks."""
        self._refusal = why

    def _not_opened(self, failure: Failure) -> Failure:
        """Give back what was taken; an error of the system becomes a sentence."""
        self._admission.state = StoreState.CLOSED
        self._release(None)
        return explained(failure, self._root)

    def _closed(self, _: None) -> None:
        """Tell the next start that all is well, if it is."""
        if self._flush.is_sound:
            self._abort.remove()

    def _release(self, result: _T) -> _T:
        """Close the files and unlock, whatever happened."""
        self._log.close()
        self._files.close()
        self._lock.release()
        return result

    def _put_all(
        self, drafts: Sequence[Draft], queue: ConsumeQueue, store_time_ms: int
    ) -> list[Appended]:
        """Append messages of one queue, and dispatch them now or after the fsync."""
        deferred = self._deferred
        first = queue.next if deferred is None else deferred.next_offset(queue)
        stored = append_all(self._log, drafts, first, store_time_ms)
        if deferred is None:
            dispatch_all(self._dispatcher, queue, drafts, stored)
        else:
            deferred.add(queue, drafts, stored)
            self._flush.soon()
        return stored

    def _flushed(self, flushed: int) -> None:
        """Dispatch the messages that are on disk now."""
        if self._deferred is not None:
            self._deferred.dispatch(flushed)
