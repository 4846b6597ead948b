"""
Dispatch: from a stored record to its queue entry, its arrival and the index.

There is one way, used by everything that stores records::

    MessageStore.put, put_batch     at once
    RunWriter                       at once, all of a run     dispatch_run
    DeferredDispatch                once the record is on disk (SYNC_FLUSH)   dispatch
    MemoryMessageStore              at once
    Recovery                        what its scan of the log finds       dispatch_record

Whether a record is queued at all (:func:`is_queued`) and which tags code its entry
holds (:func:`entry_code`) is decided only here.

Source: ``CommitLogDispatcherBuildConsumeQueue`` and ``CommitLogDispatcherBuildIndex``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from twisted.logger import Logger

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.interfaces import Appended, Arrival
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY,
    LARGER,
    SCHEDULE_TOPIC,
    SMALL,
    ConsumeQueue,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.store.run import Run
from rocketmq_tw.wire import properties as properties_text
from rocketmq_tw.wire.record import Checked

#: A record with one of these bits is in no queue. Prepared and rolled back transactions
#: share a bit; an inner batch belongs to a kind of queue that we do not write.
UNQUEUED = sysflag.PREPARED | sysflag.INNER_BATCH
#: Milliseconds; the delay of a level if no levels are configured.
_UNKNOWN_LEVEL_MS = 1000
_pack = ENTRY.pack


class Tagged(Protocol):
    """What the tags code of an entry is computed from: a draft, or a record's facts."""

    @property
    def tags_code(self) -> int:
        """Return the hash of the tags."""

    @property
    def properties(self) -> bytes:
        """Return the properties text."""


class Dispatcher:
    """
    Adds records to their queues and notifies listeners.

    Listeners are called for each message that becomes readable, in the order of the
    log. Without listeners that costs the test of an empty tuple.
    """

    _log = Logger()

    def __init__(
        self, *, queues: ConsumeQueues, delay_levels_ms: tuple[int, ...]
    ) -> None:
        """:param delay_levels_ms: the delay of each level; level 1 comes first."""
        self._queues = queues
        self._delay_levels_ms = delay_levels_ms
        self.listeners: tuple[Arrival, ...] = ()
        self._waiting: list[Callable[[], None]] = []
        # The listeners, and _wake while something waits for the next record.
        self._targets: tuple[Arrival, ...] = ()

    def add_listener(self, listener: Arrival) -> None:
        """Call ``listener`` for each arrival; adding it twice has no effect."""
        if listener not in self.listeners:
            self.listeners += (listener,)
            self._set_targets()

    def remove_listener(self, listener: Arrival) -> None:
        """Stop calling ``listener``; does nothing if it is not registered."""
        if listener in self.listeners:
            kept = [each for each in self.listeners if each != listener]
            self.listeners = tuple(kept)
            self._set_targets()

    def call_at_next(self, function: Callable[[], None]) -> None:
        """Call ``function`` once, for the next record, whether it is queued or not."""
        self._waiting.append(function)
        self._set_targets()

    def cancel(self, function: Callable[[], None]) -> None:
        """Remove a function that waits for the next record."""
        self._waiting = [each for each in self._waiting if each != function]
        self._set_targets()

    def dispatch(
        self,
        queue: ConsumeQueue,
        commit_log_offset: int,
        size: int,
        message: Tagged,
        store_time_ms: int,
    ) -> None:
        """
        Add the entry of a new queued record: its queue offset is ``queue.next``.

        On the path of every message; therefore the arguments are positional, and it
        makes no call and no allocation of its own: 0.2 us with the entry, without
        listeners.
        """
        tags_code = message.tags_code
        if queue.is_delayed:
            tags_code = entry_code(message, store_time_ms, self._delay_levels_ms)
        tail = queue.tail
        tail += _pack(commit_log_offset, size, tags_code)
        queue.next += 1
        queue.messages += 1
        queue.size += size
        if size > SMALL:
            queue.count_larger(size)
        queue.log_end = commit_log_offset + size
        if len(tail) > queue.tail_limit:
            self._queues.touch(queue)
        if self._targets:
            for notify in self._targets:
                notify(
                    queue.topic, queue.queue_id, queue.next, tags_code, store_time_ms
                )

    def dispatch_all(
        self,
        queue: ConsumeQueue,
        stored: Sequence[Appended],
        messages: Sequence[Tagged],
    ) -> None:
        """
        Add the entries of new queued records of one queue, at least one.

        0.2 us for each without listeners, half of what :meth:`dispatch` takes.
        """
        if queue.is_delayed or self._targets:
            for each, message in zip(stored, messages, strict=True):
                self.dispatch(
                    queue,
                    each.commit_log_offset,
                    each.size,
                    message,
                    each.store_time_ms,
                )
            return
        tail = queue.tail
        tail += b"".join(
            [
                _pack(each.commit_log_offset, each.size, message.tags_code)
                for each, message in zip(stored, messages, strict=True)
            ]
        )
        queue.next += len(stored)
        queue.messages += len(stored)
        sizes = [each.size for each in stored]
        queue.size += sum(sizes)
        if max(sizes) > SMALL:
            for size in sizes:
                if size > SMALL:
                    queue.count_larger(size)
        queue.log_end = stored[-1].commit_log_offset + stored[-1].size
        if len(tail) > queue.tail_limit:
            self._queues.touch(queue)

    def dispatch_run(self, run: Run, store_time_ms: int) -> None:
        """
        Add the entries of records that are all queued; then notify of each, in order.

        On the path of every message: 0.2 us, without listeners.
        """
        for message in run:
            queue, size = message.queue, message.size
            queue.tail += _pack(message.commit_log_offset, size, message.tags_code)
            queue.next += 1
            queue.messages += 1
            queue.size += size
            if size > SMALL:
                larger = queue.larger
                if larger is None or size > LARGER[0]:
                    queue.count_larger(size)
                else:
                    larger[0] += 1
            queue.log_end = message.commit_log_offset + size
            if len(queue.tail) > queue.tail_limit:
                self._queues.touch(queue)
        if self._targets:
            self._notify_of_run(run, store_time_ms)

    def _notify_of_run(self, run: Run, store_time_ms: int) -> None:
        """Notify of each message; the run is stored even if a listener fails."""
        for message in run:
            following = message.queue_offset + 1
            self._notify(message.queue, following, message.tags_code, store_time_ms)

    def _notify(
        self, queue: ConsumeQueue, following: int, tags_code: int, store_time_ms: int
    ) -> None:
        """Notify of one message, whose next one has the offset ``following``."""
        for notify in self._targets:
            try:
                notify(queue.topic, queue.queue_id, following, tags_code, store_time_ms)
            except Exception:
                self._log.failure("a listener failed")

    def dispatch_unqueued(self) -> None:
        """Wake those who wait for the next record; this one is in no queue."""
        if self._waiting:
            self._wake()

    def dispatch_copies(self, records: Iterable[tuple[int, Checked]]) -> None:
        """
        Add the entries of records that a master sent, with their offsets, in order.

        Most continue their queue; the others are handled as in recovery. Each is
        stored, and the next ones are dispatched, even if a listener fails.
        """
        find = self._queues.table.get
        for position, record in records:
            queue = find((record.topic, record.queue_id))
            if (
                queue is None
                or queue.next != record.queue_offset
                or position < queue.log_end
                or record.sys_flag & UNQUEUED
                or queue.is_delayed
            ):
                self._dispatch_copy(position, record)
                continue
            code, size = record.tags_code, record.size
            tail = queue.tail
            tail += _pack(position, size, code)
            queue.next += 1
            queue.log_end = position + size
            if len(tail) > queue.tail_limit:
                self._queues.touch(queue)
            if self._targets:
                self._notify(queue, queue.next, code, record.store_time_ms)

    def _dispatch_copy(self, commit_log_offset: int, record: Checked) -> None:
        """Dispatch a record that does not simply continue its queue."""
        try:
            self.dispatch_record(commit_log_offset, record)
        except Exception:
            self._log.failure("a record of the master was not dispatched")

    def dispatch_record(
        self, commit_log_offset: int, record: Checked, *, may_restart: bool = True
    ) -> bool:
        """
        Add the entry of a record read from the log, as recovery and a slave do.

        Listeners are notified as of a new record, unless its entry exists; during
        recovery there are none yet.

        :param may_restart: see :meth:`ConsumeQueue.put`.
        :returns: whether an entry was added; an existing one is kept.
        """
        if not is_queued(record.sys_flag):
            self.dispatch_unqueued()
            return False
        try:
            queue = self._queues.create(record.topic, record.queue_id)
        except IllegalTopic:
            return False  # a message of this topic was never readable
        tags_code = record_code(record, self._delay_levels_ms)
        added = queue.put(
            record.queue_offset, commit_log_offset, record.size, tags_code, may_restart
        )
        if added:
            self._queues.touch(queue)
            for notify in self._targets:
                notify(
                    record.topic,
                    record.queue_id,
                    record.queue_offset + 1,
                    tags_code,
                    record.store_time_ms,
                )
        return added

    def _set_targets(self) -> None:
        """Recompute which functions :meth:`dispatch` calls."""
        wake: tuple[Arrival, ...] = (self._wake,) if self._waiting else ()
        self._targets = self.listeners + wake

    def _wake(self, *_arrival: object) -> None:
        """Call the functions that wait for the next record."""
        waiting, self._waiting = self._waiting, []
        self._set_targets()
        for function in waiting:
            function()


def is_queued(sys_flag: int) -> bool:
    """Return whether records with these flags have a consume queue entry."""
    return not sys_flag & UNQUEUED


def record_code(record: Checked, delay_levels_ms: tuple[int, ...]) -> int:
    """Return the tags code for the entry of a record read from the log."""
    if record.topic != SCHEDULE_TOPIC:
        return record.tags_code
    return entry_code(record, record.store_time_ms, delay_levels_ms)


def entry_code(
    message: Tagged, store_time_ms: int, delay_levels_ms: tuple[int, ...]
) -> int:
    """
    Return the tags code for an entry of the schedule topic.

    It is the time at which the message is due, in ms since the epoch. A level above the
    highest counts as the highest; without a level it is the hash of the tags.
    """
    text = message.properties.decode("utf-8", "replace")
    level = properties_text.find(text, "DELAY")
    if level is None or not level.isdecimal() or int(level) <= 0:
        return message.tags_code
    if not delay_levels_ms:
        return store_time_ms + _UNKNOWN_LEVEL_MS
    return store_time_ms + delay_levels_ms[min(int(level), len(delay_levels_ms)) - 1]
