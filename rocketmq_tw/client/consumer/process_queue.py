"""
The messages pulled from one queue and not consumed yet.

Messages are completed in any order. The group's offset may only advance past completed
messages, so it is the *lowest* offset that is still here::

    offsets   10   11   12   13          14 = highest + 1
              done here done here        -> commit offset 11

A queue is released in two steps. *Closing*: no further message is dispatched, running
handlers may finish and their results count. *Dropped*: results are ignored, because the
new owner consumes again what was not committed.

Source: ``ProcessQueue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Final

from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.client.consumer.counts import TopicCounts
from rocketmq_tw.client.consumer.limits import CacheSize
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry

#: How many offsets of removed messages are kept, besides one for each that is held.
_REMOVED_KEPT: Final = 64


class QueueState(Enum):
    """How far a queue has been released; it only moves from one state to the next."""

    OPEN = "messages are dispatched"
    CLOSING = "no further message is dispatched; results count"
    DROPPED = "the queue is another member's; results are ignored"


class ProcessQueue:
    """
    The messages of one queue that wait for a handler, or are with one.

    :param cache: counts the bytes of all queues of the consumer.
    :ivar counts: the counts of the topic.
    :ivar size: bytes of the message bodies.
    :ivar state: whether messages are dispatched and results count.
    :ivar running: how many invocations are running.
    """

    def __init__(
        self,
        queue: MessageQueue,
        cache: CacheSize | None = None,
        counts: TopicCounts | None = None,
    ) -> None:
        self.queue = queue
        self.is_retry = is_retry(queue.topic)
        self._cache = cache or CacheSize()
        self.counts = counts or TopicCounts()
        self.size = 0
        self.state = QueueState.OPEN
        self.running = 0
        self._messages: dict[int, StoredMessage] = {}
        # The offsets in ascending order, with some of removed messages. The first one
        # is that of a message that is here. Not an OrderedDict, which takes twice the
        # time for each message.
        self._order: deque[int] = deque()
        self._highest = -1
        self._idle: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, message: StoredMessage) -> bool:
        return message.queue_offset in self._messages

    @property
    def messages(self) -> list[StoredMessage]:
        """All messages, by queue offset."""
        return self.head(len(self._messages))

    @property
    def span(self) -> int:
        """Distance in queue offsets from the first message to the last; 0 if empty."""
        return self._highest - self._order[0] if self._order else 0

    def put(self, messages: Iterable[StoredMessage]) -> list[StoredMessage]:
        """
        Add pulled messages.

        :returns: the messages that were not here already, in the same order.
        """
        held, highest, new = self._messages, self._highest, []
        append = self._order.append
        size = 0
        sort = False
        for message in messages:
            offset = message.queue_offset
            if offset > highest:
                highest = offset
            elif offset in held:
                continue
            else:
                sort = True
            held[offset] = message
            append(offset)
            size += message.size
            new.append(message)
        self._highest = highest
        self._count(size, len(new))
        if sort:
            # Rare: the broker moved back. The first one must stay the lowest.
            self._order = deque(sorted(held))
        return new

    def remove(self, messages: Iterable[StoredMessage]) -> int:
        """
        Remove completed messages.

        :returns: the offset to commit: the lowest offset still here, or one past the
            highest; -1 if none of the messages was here.
        """
        held = self._messages
        before = len(held)
        size = 0
        for message in messages:
            gone = held.pop(message.queue_offset, None)
            if gone is not None:
                size += gone.size
        left = len(held)
        if left == before:
            return -1
        self._count(-size, left - before)
        order = self._order
        if not left:
            order.clear()
            return self._highest + 1
        while order[0] not in held:
            order.popleft()
        if len(order) > 2 * left + _REMOVED_KEPT:
            self._order = deque(offset for offset in order if offset in held)
        return order[0]

    # -- in order

    def head(self, count: int) -> list[StoredMessage]:
        """Return the first messages, by queue offset, without removing them."""
        held = self._messages
        found: list[StoredMessage] = []
        for offset in self._order:
            if len(found) >= count:
                break
            if offset in held:
                found.append(held[offset])
        return found

    def replace(self, messages: Iterable[StoredMessage]) -> None:
        """Replace messages that are here by others of the same queue offset."""
        for message in messages:
            if message.queue_offset in self._messages:
                self._messages[message.queue_offset] = message

    def clear(self) -> None:
        """Remove all messages; the next ones may have any offsets."""
        self._count(-self.size, -len(self._messages))
        self._messages.clear()
        self._order.clear()
        self._highest = -1

    # -- invocations

    def begin(self) -> None:
        """Count an invocation that starts."""
        self.running += 1

    def end(self) -> None:
        """Count an invocation that has ended."""
        self.running -= 1
        if not self.running:
            waiting, self._idle = self._idle, []
            for each in waiting:
                each.callback(None)

    def when_idle(self) -> Deferred[None]:
        """Fires when no invocation is running. Cancelling it stops waiting."""
        if not self.running:
            return succeed(None)
        waiting: Deferred[None] = Deferred(
            lambda d: self._idle.remove(d) if d in self._idle else None
        )
        self._idle.append(waiting)
        return waiting

    def close(self) -> None:
        """Start to release the queue: nothing more is dispatched."""
        if self.state is QueueState.OPEN:
            self.state = QueueState.CLOSING

    def drop(self) -> None:
        """Remove all messages, and ignore results from now on."""
        self.state = QueueState.DROPPED
        self._count(-self.size, -len(self._messages))
        self._messages.clear()
        self._order.clear()

    def _count(self, size: int, messages: int) -> None:
        """Add to the bytes of this queue, and to the counters of the cache."""
        self.size += size
        self._cache.total += size
        self._cache.messages += messages
