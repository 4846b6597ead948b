"""
Deferred dispatch: no record is readable before it is on disk.

With SYNC_FLUSH a record is dispatched only after the fsync, so that no consumer sees a
message that a power cut could undo.

Source: ``ReputMessageService`` of RocketMQ 5, which reads up to the flushed offset.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.dispatch import UNQUEUED, Dispatcher
from rocketmq_tw.wire.record import Draft


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


class DeferredDispatch:
    """
    Holds records of the commit log until they are on disk, then dispatches them.

    A record gets its queue offset when it is appended: the queue's own next offset plus
    the number of its records that wait here.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Dispatch with ``dispatcher``."""
        self._dispatcher = dispatcher
        # In the order of the commit log.
        self._waiting: deque[_Undispatched] = deque()
        # How many waiting records each queue has.
        self._ahead: dict[ConsumeQueue, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def next_offset(self, queue: ConsumeQueue) -> int:
        """Return the queue offset that the queue's next message gets."""
        return queue.next + self._ahead.get(queue, 0)

    def add(
        self,
        queue: ConsumeQueue,
        commit_log_offset: int,
        size: int,
        draft: Draft,
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

    def add_all(
        self, queue: ConsumeQueue, drafts: Sequence[Draft], stored: Sequence[Appended]
    ) -> None:
        """Hold messages of one queue that were appended to the log."""
        for draft, at in zip(drafts, stored, strict=True):
            self.add(queue, at.commit_log_offset, at.size, draft, at.store_time_ms)

    def dispatch(self, flushed: int) -> None:
        """Dispatch the records up to commit log offset ``flushed``, in order."""
        dispatch = self._dispatcher.dispatch
        for each in self._take(flushed):
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

    def forget(self, topic: bytes) -> None:
        """Drop the waiting messages of a deleted topic."""
        kept = [each for each in self._waiting if each.queue.topic != topic]
        self._waiting = deque(kept)
        self._ahead = {q: n for q, n in self._ahead.items() if q.topic != topic}

    def _take(self, flushed: int) -> list[_Undispatched]:
        """Remove and return the records that are on disk."""
        due = []
        waiting = self._waiting
        while waiting:
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
