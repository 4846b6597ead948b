"""
Late dispatch: what nobody may read before it is on disk.

A store that flushes before it answers (SYNC_FLUSH) lets a message enter its consume
queue only then, so that no consumer sees one that a power cut takes back.

Source: ``ReputMessageService`` of RocketMQ 5, which reads up to the flushed offset.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from rocketmq_tw.store.interfaces import Appended, Arrival
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire.record import Draft


class Undispatched(msgspec.Struct, frozen=True):
    """A message that is in the commit log and not yet in its consume queue."""

    queue: ConsumeQueue
    draft: Draft
    appended: Appended

    @property
    def end(self) -> int:
        """Return where its record ends."""
        return self.appended.commit_log_offset + self.appended.size


class LateDispatch:
    """The messages that wait for the disk before they enter their queues."""

    def __init__(
        self, log: CommitLog, queues: ConsumeQueues, flush: Callable[[], None]
    ) -> None:
        """
        Begin with none.

        :param flush: sees to it that the log is forced to disk soon.
        """
        self._log = log
        self._queues = queues
        self._flush = flush
        self._waiting: deque[Undispatched] = deque()
        self._ahead: dict[ConsumeQueue, int] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._waiting)

    def put(
        self, drafts: Sequence[Draft], queue: ConsumeQueue, store_time_ms: int
    ) -> list[Appended]:
        """
        Append messages of one queue to the log; they have their queue offsets already.

        :raises StoreError: nothing was written.
        """
        log = self._log
        first = queue.next + self._ahead.get(queue, 0)
        if len(drafts) == 1:
            places = [log.append(drafts[0], first, store_time_ms)]
        else:
            offsets = range(first, first + len(drafts))
            places = log.append_all(drafts, offsets, store_time_ms)
        stored = []
        for number, draft in enumerate(drafts):
            at = places[number]
            size = (*places, log.end)[number + 1] - at
            appended = Appended(at, size, first + number, store_time_ms)
            self._waiting.append(Undispatched(queue, draft, appended))
            stored.append(appended)
        self._ahead[queue] = self._ahead.get(queue, 0) + len(drafts)
        self._flush()
        return stored

    def dispatch(self, flushed: int, arrived: Arrival | None) -> None:
        """Let the messages up to ``flushed`` enter their queues, in order."""
        for message in self._take(flushed):
            queue, draft, appended = message.queue, message.draft, message.appended
            queue.append(appended.commit_log_offset, appended.size, draft.tags_code)
            self._queues.touch(queue)
            if arrived is not None:
                key = (queue.topic, queue.queue_id, queue.next)
                arrived(*key, draft.tags_code, appended.store_time_ms)

    def forget(self, topic: bytes) -> None:
        """Drop the messages of a topic that is deleted."""
        kept = [each for each in self._waiting if each.queue.topic != topic]
        self._waiting = deque(kept)
        self._ahead = {q: n for q, n in self._ahead.items() if q.topic != topic}

    def _take(self, flushed: int) -> list[Undispatched]:
        """Take those out that are on disk."""
        due = []
        waiting = self._waiting
        while waiting and waiting[0].end <= flushed:
            due.append(waiting.popleft())
        for message in due:
            self._ahead[message.queue] -= 1
        if not waiting:
            self._ahead.clear()
        return due
