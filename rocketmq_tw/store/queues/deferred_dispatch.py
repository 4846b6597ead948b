"""
Deferred dispatch: no record is readable before it is on disk.

With SYNC_FLUSH a record is dispatched only after the fsync, so that no consumer sees a
message that a power cut could undo.

While an fsync hangs messages gather here. Past a limit the store refuses further ones,
until the fsync ends.

Source: ``ReputMessageService`` of RocketMQ 5, which reads up to the flushed offset.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.dispatch import UNQUEUED, Dispatcher
from rocketmq_tw.store.run import Run, RunMessage
from rocketmq_tw.wire.record import FIXED_SIZE, Draft

#: More messages, and more bytes of the log, are in no run: it has what one read brings.
LARGEST_RUN = 2048
LARGEST_RUN_SIZE = 2 << 20
#: Records that are dispatched at a stretch, some 1.5 us each; more than come in the
#: time of an fsync, unless it hangs.
AT_ONCE = 8192


class _Undispatched(msgspec.Struct, frozen=True, gc=False):
    """Everything needed to dispatch a record after the fsync."""

    queue: ConsumeQueue
    commit_log_offset: int
    size: int
    store_time_ms: int
    is_queued: bool
    # The fields of a Tagged. Keeping the draft would keep its body in memory.
    tags_code: int
    properties: bytes


def _nothing(_: object) -> None:
    """Do nothing."""


class DeferredDispatch:
    """
    Holds records of the commit log until they are on disk, then dispatches them.

    A record gets its queue offset when it is appended: the queue's own next offset plus
    the number of its records that wait here.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        limit: int = 100_000,
        max_size: int = 256 << 20,
        on_full: Callable[[str | None], None] = _nothing,
    ) -> None:
        """
        Dispatch with ``dispatcher``.

        :param limit: with so many records none should be added
            (``maxUnflushedMessages``).
        :param max_size: the same, in bytes of the log (``maxUnflushedSize``).
        :param on_full: called with the reason when a limit is reached, with None later.
        """
        self._dispatcher = dispatcher
        self._limit = limit
        self._max_size = max_size
        self._on_full = on_full
        self._is_full = False
        # No limit can be reached by a record that begins before this offset.
        self._check_at = 0
        # In the order of the commit log.
        self._waiting: deque[_Undispatched] = deque()
        # How many waiting records each queue has.
        self._ahead: dict[ConsumeQueue, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """Return the bytes of the log from the first record to the end of the last."""
        if not self._waiting:
            return 0
        first, last = self._waiting[0], self._waiting[-1]
        return last.commit_log_offset + last.size - first.commit_log_offset

    @property
    def takes_runs(self) -> bool:
        """Whether the messages of a whole read can be added below the limits."""
        return (
            len(self._waiting) + LARGEST_RUN <= self._limit
            and self.size + LARGEST_RUN_SIZE <= self._max_size
        )

    def next_offset(self, queue: ConsumeQueue) -> int:
        """Return the queue offset that the queue's next message gets."""
        return queue.next + self._ahead.get(queue, 0)

    def add(
        self,
        queue: ConsumeQueue,
        commit_log_offset: int,
        size: int,
        draft: Draft | RunMessage,
        store_time_ms: int,
    ) -> None:
        """
        Hold a message that was appended to the log.

        On the path of every message with SYNC_FLUSH; therefore positional.
        """
        queued = not draft.sys_flag & UNQUEUED
        self._waiting.append(
            _Undispatched(
                queue,
                commit_log_offset,
                size,
                store_time_ms,
                queued,
                draft.tags_code,
                draft.properties,
            )
        )
        if queued:
            self._ahead[queue] = self._ahead.get(queue, 0) + 1
        if commit_log_offset >= self._check_at:
            self._check()

    def _check(self) -> None:
        """Call ``on_full`` if a limit is reached, or no longer."""
        count, size, setting = len(self._waiting), self.size, None
        if count >= self._limit:
            setting = f"maxUnflushedMessages ({self._limit})"
        elif size >= self._max_size:
            setting = f"maxUnflushedSize ({self._max_size})"
        elif count:
            # The record that reaches the limit begins behind so many of the shortest.
            behind = (self._limit - count - 1) * FIXED_SIZE
            end = self._waiting[0].commit_log_offset + size
            self._check_at = end + min(behind, self._max_size - size)
        is_full = setting is not None
        if is_full is not self._is_full:
            self._is_full = is_full
            why = f"an fsync has not ended, and {setting} is reached"
            self._on_full(why if is_full else None)

    def add_all(
        self, queue: ConsumeQueue, drafts: Sequence[Draft], stored: Sequence[Appended]
    ) -> None:
        """Hold messages of one queue that were appended to the log."""
        for draft, at in zip(drafts, stored, strict=True):
            self.add(queue, at.commit_log_offset, at.size, draft, at.store_time_ms)

    def add_run(self, run: Run, store_time_ms: int) -> None:
        """Hold the messages of a run that was appended to the log; all are queued."""
        for each in run:
            at, size = each.commit_log_offset, each.size
            self.add(each.queue, at, size, each, store_time_ms)

    def dispatch(self, flushed: int) -> int:
        """
        Dispatch the records up to commit log offset ``flushed``, in order.

        :returns: up to where that was done: after :data:`AT_ONCE` records it stops.
        """
        dispatch = self._dispatcher.dispatch
        due = self._take(flushed)
        for each in due:
            if each.is_queued:
                dispatch(
                    each.queue,
                    each.commit_log_offset,
                    each.size,
                    each,
                    each.store_time_ms,
                )
            else:
                self._dispatcher.dispatch_unqueued()
        if self._is_full:
            self._check()
        if len(due) < AT_ONCE:
            return flushed
        return due[-1].commit_log_offset + due[-1].size

    def forget(self, topic: bytes) -> None:
        """Drop the waiting messages of a deleted topic."""
        kept = [each for each in self._waiting if each.queue.topic != topic]
        self._waiting = deque(kept)
        self._ahead = {q: n for q, n in self._ahead.items() if q.topic != topic}
        self._check()

    def _take(self, flushed: int) -> list[_Undispatched]:
        """Remove and return the first of the records that are on disk."""
        due = list[_Undispatched]()
        waiting = self._waiting
        while waiting and len(due) < AT_ONCE:
            first = waiting[0]
            if first.commit_log_offset + first.size > flushed:
                break
            due.append(waiting.popleft())
        for record in due:
            if record.is_queued:
                self._ahead[record.queue] -= 1
        if not waiting:
            self._ahead.clear()
        return due
