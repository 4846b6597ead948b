"""
The message store: the commit log, its consume queues and index, and their durability.

::

    <root>/commitlog/<offset>                     the messages
    <root>/consumequeue/<topic>/<queue>/<offset>  the entries of each queue
    <root>/index/<time>                           messages by key
    <root>/checkpoint  abort  lock                see those modules

Files of features that are not implemented here are left alone.

Source: ``DefaultMessageStore`` of RocketMQ 5.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.store.admission import NOT_OPEN, Admission, StoreState
from rocketmq_tw.store.assemble import StoreParts, StoreThreads
from rocketmq_tw.store.config import RetentionConfig, StoreConfig
from rocketmq_tw.store.durability.opening import explained
from rocketmq_tw.store.errors import StoreError
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.lock import StoreLock
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.store.interfaces import (
    Appended,
    Arrival,
    FlushOutcome,
    IMessageStore,
    KeyQuery,
    Queried,
)
from rocketmq_tw.store.log.batch import (
    append_all,
    append_and_dispatch,
    check_batch,
    new_queue,
)
from rocketmq_tw.store.log.limits import check_sizes
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.dispatch import UNQUEUED
from rocketmq_tw.store.queues.fetch import page_cache_size
from rocketmq_tw.store.queues.records import store_view
from rocketmq_tw.store.queues.verify import VerifiedFetch
from rocketmq_tw.store.reading import ReadableStore
from rocketmq_tw.threads import RunInThread, run_here
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import Draft

_T = TypeVar("_T")


@implementer(IMessageStore)
class MessageStore(ReadableStore):
    """
    A message store in one directory.

    :ivar source: reads the commit log for slaves.
    :ivar replica: appends what a master sends.
    """

    def __init__(
        self,
        root: str,
        clock: IReactorTime,
        config: StoreConfig | None = None,
        *,
        run_in_thread: RunInThread = run_here,
        run_read_in_thread: RunInThread | None = None,
        disk: Disk | None = None,
        lock: StoreLock | None = None,
    ) -> None:
        """
        Use the directory ``root``; nothing is touched before :meth:`open`.

        :param run_in_thread: runs an fsync of the log.
        :param run_read_in_thread: runs other blocking calls; None is ``run_in_thread``.
        :param disk: makes the system calls; tests pass their own.
        :param lock: a lock that may be acquired already; None makes one in ``root``.
        """
        config = config or StoreConfig()
        self._root = root
        self._clock = clock
        self._largest = config.max_message_size
        self._refusal: str | None = NOT_OPEN
        self._admission = Admission(self._set_refusal, config.is_replica)
        parts = StoreParts(
            root,
            clock,
            config,
            threads=StoreThreads(run_in_thread, run_read_in_thread or run_in_thread),
            disk=disk or Disk(),
            lock=lock,
            admission=self._admission,
        )
        self._files = parts.files
        self._mapped = parts.mapped
        self._lock = parts.lock
        self._abort = parts.abort
        self._log = parts.log
        self._table = parts.queues.table
        self._dispatcher = parts.dispatcher
        self._deferred = parts.deferred
        self.runs = parts.runs
        self.source = parts.source
        self.replica = parts.replica
        self._checkpoint = parts.checkpoint
        self._progress = parts.progress
        self._recovery = parts.recovery
        self._flush = parts.flush
        self._index = parts.index
        self._retention = parts.retention
        self._removal = parts.removal
        memory = config.memory_size or page_cache_size()
        super().__init__(
            view=store_view(parts.log, parts.reads, config, memory, parts.mapped),
            queues=parts.queues,
            fetch_unverified=VerifiedFetch(parts.log, config.delay_levels_ms).fetch,
        )

    def open(self) -> "Deferred[None]":
        """
        Lock, load and recover the store; the reactor keeps running meanwhile.

        Fails with StoreLocked, or with StoreUnreadable; nothing was changed then.
        """
        try:
            self._lock.acquire()
        except StoreError:
            return fail()
        admission = self._admission
        admission.set_state(StoreState.OPENING)
        opened = in_slices(
            self._load(), self._clock, lambda: admission.state is StoreState.OPENING
        )
        return opened.addCallbacks(self._opened, self._not_opened)

    def close(self) -> "Deferred[None]":
        """
        Refuse messages, flush everything and unlock.

        Fails with OSError when the disk does: then ``abort`` stays, and the next start
        recovers from the commit log. The store is unlocked in any case.
        """
        state = self._admission.state
        self._admission.set_state(StoreState.CLOSED)
        if state is not StoreState.OPEN:
            return succeed(None)
        self._retention.stop()
        self._removal.stop()
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
        if draft.sys_flag & UNQUEUED:
            return self._put_all([draft], queue, store_time_ms)[0]
        log, deferred = self._log, self._deferred
        queue_offset = queue.next if deferred is None else deferred.next_offset(queue)
        at = log.append(draft, queue_offset, store_time_ms)
        size = log.end - at
        if deferred is None:
            self._dispatcher.dispatch(queue, at, size, draft, store_time_ms)
        else:
            deferred.add(queue, at, size, draft, store_time_ms)
            self._flush.schedule(1)
        return Appended(at, size, queue_offset, store_time_ms)

    def put_batch(self, drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue in one file: all or none."""
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
        """Stop calling ``listener``."""
        self._dispatcher.remove_listener(listener)

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """Return a Deferred for the fsync: see :class:`IMessageStore`."""
        return None if self._deferred is None else self._flush.when_flushed(end)

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """Call ``waiter`` after the fsync: see :class:`IMessageStore`."""
        return self._deferred is not None and self._flush.await_flush(waiter, end)

    def flush(self) -> "Deferred[None]":
        """Flush all messages to disk: see :class:`IMessageStore`."""
        return self._flush.flush()

    def query(self, query: KeyQuery) -> "Deferred[Queried]":
        """Find messages by key: see :class:`IMessageStore`."""
        return self._index.query(query)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what waits for the disk and is mapped, and how much was refused."""
        deferred = self._deferred
        return {
            **super().gauges(),
            "waitingQueries": lambda: self._index.waiting,
            "waitingQueriesRefused": lambda: self._index.refused,
            "mappedReadSize": lambda: self._mapped.size,
            "unflushedMessages": lambda: 0 if deferred is None else len(deferred),
            "unflushedSize": lambda: 0 if deferred is None else deferred.size,
            "unflushedRefused": lambda: self._admission.unflushed_refused,
        }

    def delete_topic(self, topic: str) -> "Deferred[None]":
        """Delete a topic's queues, also for recovery; the commit log is unchanged."""
        found = self._queues.delete_topic(topic)
        if self._deferred is not None:
            self._deferred.forget(topic.encode())
        if not found:
            return succeed(None)
        self._removal.start()
        return self._flush.write_queues().addErrback(lambda failure: None)

    def trim_queues(self) -> "Deferred[None]":
        """Remove files of queues: see :class:`IMessageStore`."""
        if self._admission.state is not StoreState.OPEN:
            return fail(self._admission.error())
        return self._retention.trim()

    def set_retention(self, config: RetentionConfig) -> None:
        """Keep files for another time: see :class:`IMessageStore`."""
        self._retention.set_config(config)

    def delete_expired(self) -> None:
        """Let old files be deleted: see :class:`IMessageStore`."""
        self._retention.delete_expired()

    @property
    def failure(self) -> str | None:
        """
        Return why messages are refused now, or the last one was; None if they are not.

        A file that cannot be made is tried again with each message.
        """
        return self._refusal or self._log.failure

    @property
    def flushed(self) -> int:
        """Return the commit log offset up to which everything is on disk."""
        return self._flush.flushed

    def _load(self) -> Iterator[None]:
        """
        Load and recover, one slice of work at each step.

        ``abort`` is created before any file is changed.
        """
        was_aborted = self._abort.exists()
        known = self._progress.known
        known.load()
        self._log.load(may_be_cut=known.is_known)
        self._checkpoint.load()
        yield from self._recovery.load(was_aborted)
        self._abort.create()
        yield from self._recovery.run()
        yield from self._progress.begin()
        self._index.load(was_aborted)

    def _opened(self, _: None) -> None:
        """Start the background work and accept messages."""
        self._flush.start()
        self._index.start()
        self._admission.set_state(StoreState.OPEN)
        self._retention.start()
        self._removal.start()

    def _set_refusal(self, why: str | None) -> None:
        """Cache the refusal, which every ``put`` checks."""
        self._refusal = why

    def _not_opened(self, failure: Failure) -> Failure:
        """Unlock, and turn an operating system error into a store error."""
        self._admission.set_state(StoreState.CLOSED)
        self._release(None)
        return explained(failure, self._root)

    def _closed(self, _: None) -> None:
        """Remove ``abort`` if everything was flushed."""
        if self._flush.is_healthy:
            self._abort.remove()

    def _release(self, result: _T) -> _T:
        """Close the files and unlock, after success and failure."""
        self._log.close()
        self._mapped.close()
        self._files.close()
        self._lock.release()
        return result

    def _put_all(
        self, drafts: Sequence[Draft], queue: ConsumeQueue, store_time_ms: int
    ) -> list[Appended]:
        """Append messages of one queue; dispatch them now, or after the fsync."""
        deferred = self._deferred
        if deferred is None:
            return append_and_dispatch(
                self._log, self._dispatcher, queue, drafts, store_time_ms
            )
        first = deferred.next_offset(queue)
        stored = append_all(self._log, drafts, first, store_time_ms)
        deferred.add_all(queue, drafts, stored)
        self._flush.schedule(len(drafts))
        return stored
