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

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.store.checkpoint import StoreCheckpoint
from rocketmq_tw.store.commitlog import CommitLog
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.consume_queues import ConsumeQueues
from rocketmq_tw.store.consumequeue import TAIL_LIMIT, ConsumeQueue
from rocketmq_tw.store.dispatch import has_entry
from rocketmq_tw.store.errors import StoreError, StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.fetch import Fetched, FetchStatus, Matches, fetch
from rocketmq_tw.store.files import Disk
from rocketmq_tw.store.flush import FlushService, InThread
from rocketmq_tw.store.index import MessageIndex
from rocketmq_tw.store.interfaces import (
    Appended,
    Arrival,
    FlushOutcome,
    IMessageStore,
    Queried,
)
from rocketmq_tw.store.late_dispatch import LateDispatch
from rocketmq_tw.store.limits import MAX_PROPERTIES, check_sizes, check_topic
from rocketmq_tw.store.lock import AbortFile, StoreLock
from rocketmq_tw.store.mapped_file_queue import OpenFiles
from rocketmq_tw.store.recovery import recover
from rocketmq_tw.store.search import (
    offset_by_time,
    queue_store_time,
    record_store_time,
)
from rocketmq_tw.store.slices import Stopped, in_slices
from rocketmq_tw.wire.record import Draft

_T = TypeVar("_T")

#: Bits 0x4 and 0x80: prepared, rolled back, inner batch. No queue knows them.
_UNQUEUED = 0x84
_CLOSED = "it is not open"


@implementer(IMessageStore)
class MessageStore:
    """
    A store in one directory.

    ``on_arrival`` is called with every message that became readable.
    """

    def __init__(
        self,
        root: str,
        clock: IReactorTime,
        config: StoreConfig | None = None,
        in_thread: InThread | None = None,
        disk: Disk | None = None,
    ) -> None:
        """
        Use the directory ``root``; nothing is touched before :meth:`open`.

        :param in_thread: runs an fsync elsewhere; None runs it here.
        :param disk: what the files are on; None is the real one.
        """
        disk = disk or Disk()
        config = config or StoreConfig()
        self.on_arrival: Arrival | None = None
        self._root = root
        self._clock = clock
        self._config = config
        self._refusal: str | None = _CLOSED
        self._is_opening = False
        self._memory_size = config.memory_size or _memory_size()
        self._files = OpenFiles(disk=disk)
        self._log = CommitLog(os.path.join(root, "commitlog"), config, self._files)
        self._queues = ConsumeQueues(
            os.path.join(root, "consumequeue"),
            config.consume_queue_file_bytes,
            self._files,
        )
        self._lock = StoreLock(os.path.join(root, "lock"))
        self._abort = AbortFile(os.path.join(root, "abort"), disk)
        path = os.path.join(root, "checkpoint")
        self._checkpoint = StoreCheckpoint(path, disk)
        self._flush = FlushService(
            self._log, self._queues, self._checkpoint, path, config, clock, in_thread
        )
        self._flush.on_flushed = self._flushed
        self._late: LateDispatch | None = None
        if config.sync_flush:
            self._late = LateDispatch(self._log, self._queues, self._flush.soon)
        read = (os.path.join(root, "index"), self._log, self._readable_end)
        self._index = MessageIndex(
            *read, self._checkpoint, config, clock, in_thread, disk
        )

    def open(self) -> "Deferred[None]":
        """
        Lock, load and recover the store. A large recovery gives way to the reactor.

        Fails with StoreLocked, or with StoreUnreadable: then nothing was changed.
        """
        try:
            os.makedirs(self._root, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            return fail(StoreUnreadable(self._root, str(error)))
        except StoreError:
            return fail()
        self._is_opening = True
        opened = in_slices(self._load(), self._clock, lambda: self._is_opening)
        return opened.addCallbacks(self._opened, self._not_opened)

    def close(self) -> "Deferred[None]":
        """
        Take no more messages, force all to disk and unlock.

        Fails with OSError when the disk does: then ``abort`` stays, and the next start
        recovers from the commit log. It is unlocked all the same.
        """
        self._is_opening = False
        if self._refusal is not None:
            return succeed(None)
        self._refusal = _CLOSED
        self._flush.stop()
        closed = self._flush.flush_all()
        closed.addBoth(lambda done: self._index.close().addCallback(lambda _: done))
        closed.addCallback(self._closed)
        return closed.addBoth(self._release)

    def put(self, draft: Draft, now: float) -> Appended:
        """
        Store one message; errors as in :class:`IMessageStore`.

        On the path of every message: 1.8 us with 128 bytes of body.
        """
        if self._refusal is not None or self._flush.failure is not None:
            raise StoreNotWriteable(self._refusal or str(self._flush.failure))
        largest = self._config.max_message_size
        if len(draft.body) > largest or len(draft.properties) > MAX_PROPERTIES:
            check_sizes(draft, largest)
        queue = self._queues.table.get((draft.topic, draft.queue_id))
        if queue is None:
            queue = _new_queue(self._queues, draft)
        store_time_ms = int(now * 1000)
        if draft.sys_flag & _UNQUEUED:
            return self._put_unqueued(draft, store_time_ms)
        if self._late is not None:
            return self._late.put([draft], queue, store_time_ms)[0]
        log = self._log
        queue_offset = queue.next
        at = log.append(draft, queue_offset, store_time_ms)
        size = log.end - at
        queue.append(at, size, draft.tags_code)
        if not queue.is_dirty or len(queue.tail) > TAIL_LIMIT:
            self._queues.touch(queue)
        arrived = self.on_arrival
        if arrived is not None:
            code = draft.tags_code
            arrived(draft.topic, draft.queue_id, queue_offset + 1, code, store_time_ms)
        return Appended(at, size, queue_offset, store_time_ms)

    def put_batch(self, drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue in one file: all, or none."""
        if self._refusal is not None or self._flush.failure is not None:
            raise StoreNotWriteable(self._refusal or str(self._flush.failure))
        if not drafts:
            return []
        for draft in drafts:
            check_sizes(draft, self._config.max_message_size)
        first = drafts[0]
        if any((d.topic, d.queue_id) != (first.topic, first.queue_id) for d in drafts):
            raise ValueError("the messages of a batch go to one queue")
        queue = self._queues.table.get((first.topic, first.queue_id))
        if queue is None:
            queue = _new_queue(self._queues, first)
        store_time_ms = int(now * 1000)
        if self._late is not None:
            return self._late.put(drafts, queue, store_time_ms)
        stored = _append_batch(self._log, queue, drafts, store_time_ms)
        self._queues.touch(queue)
        if self.on_arrival is not None:
            key = (first.topic, first.queue_id)
            for draft, at in zip(drafts, stored, strict=True):
                code = draft.tags_code
                self.on_arrival(*key, at.queue_offset + 1, code, store_time_ms)
        return stored

    def when_safe(self, end: int) -> "Deferred[FlushOutcome] | None":
        """Wait for the disk: see :class:`IMessageStore`."""
        return None if self._late is None else self._flush.when_safe(end)

    def get(
        self,
        topic: str,
        queue_id: int,
        queue_offset: int,
        max_count: int,
        max_size: int,
        matches: Matches | None,
    ) -> Fetched:
        """Read records of one queue: see :func:`rocketmq_tw.store.fetch.fetch`."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        what = (queue_offset, max_count, max_size, matches)
        return fetch(self._log, queue, self._config, self._memory_size, *what)

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
    ) -> int:
        """Return the queue offset a time points at; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        return 0 if queue is None else offset_by_time(self._log, queue, time_ms, upper)

    def store_time(self, topic: str, queue_id: int, queue_offset: int) -> int:
        """Return when a message was stored, in ms; -1 when that is unknown."""
        queue = self._queues.find(topic, queue_id)
        return -1 if queue is None else queue_store_time(self._log, queue, queue_offset)

    def record_at(self, commit_log_offset: int) -> bytes | None:
        """Return the record that begins exactly there; None when none does."""
        return self._log.record_at(commit_log_offset)

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

    def earliest_store_time(self) -> int:
        """Return when the oldest message was stored, in ms; -1 when there is none."""
        return record_store_time(self._log, self._log.min_offset)

    def queues(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic that has queues."""
        return self._queues.by_topic()

    def delete_topic(self, topic: str) -> None:
        """Remove a topic's queues; its messages stay in the commit log."""
        if self._late is not None:
            self._late.forget(topic.encode())
        self._queues.delete_topic(topic)

    @property
    def failure(self) -> str | None:
        """Return why no messages are taken now; None while they are."""
        return self._refusal or self._flush.failure

    @property
    def is_writeable(self) -> bool:
        """Return whether messages are taken now."""
        return self.failure is None

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
        return self._log.end if self._late is None else self._flush.flushed

    def _load(self) -> Iterator[None]:
        """Load and recover, a slice of work with each step."""
        was_aborted = self._abort.exists()
        self._log.load()
        self._queues.load()
        self._checkpoint.load()
        self._index.load(was_aborted)
        self._abort.create()
        yield from recover(
            self._log, self._queues, self._checkpoint, self._config, was_aborted
        )

    def _opened(self, _: None) -> None:
        """Take messages from now on."""
        self._flush.start()
        self._index.start()
        self._refusal = None

    def _not_opened(self, failure: Failure) -> Failure:
        """Give back what was taken; an error of the system becomes a sentence."""
        self._release(None)
        error = failure.value
        if isinstance(error, Stopped):
            raise StoreNotWriteable("it was closed while it was being opened")
        if isinstance(error, OSError):
            path = error.filename or self._root
            raise StoreUnreadable(str(path), str(error)) from error
        return failure

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

    def _put_unqueued(self, draft: Draft, store_time_ms: int) -> Appended:
        """Store a message that no queue shall know."""
        assert not has_entry(draft.sys_flag)
        at = self._log.append(draft, 0, store_time_ms)
        if self._late is not None:
            self._flush.soon()
        return Appended(at, self._log.end - at, 0, store_time_ms)

    def _flushed(self, flushed: int) -> None:
        """Let messages enter their queues, now that they are on disk."""
        if self._late is not None:
            self._late.dispatch(flushed, self.on_arrival)


def _new_queue(queues: ConsumeQueues, draft: Draft) -> ConsumeQueue:
    """Make the queue of a first message."""
    check_topic(draft.topic)
    return queues.create(draft.topic, draft.queue_id)


def _append_batch(
    log: CommitLog, queue: ConsumeQueue, drafts: Sequence[Draft], store_time_ms: int
) -> list[Appended]:
    """Append to the log, then to the queue, which is not touched when the log fails."""
    offsets = range(queue.next, queue.next + len(drafts))
    places = log.append_all(drafts, offsets, store_time_ms)
    ends = [*places[1:], log.end]
    stored = []
    for draft, at, end in zip(drafts, places, ends, strict=True):
        stored.append(Appended(at, end - at, queue.next, store_time_ms))
        queue.append(at, end - at, draft.tags_code)
    return stored


def _memory_size() -> int:
    """Return 40 % of this machine's memory, in bytes, as the original reckons."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 40 // 100
