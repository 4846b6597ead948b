"""
What was pulled from one queue and is not consumed yet.

Messages finish in any order; the group's offset may only move over what is finished, so
it stands at the *lowest* message still here::

    offsets   10   11   12   13          14 = highest + 1
              done here done here        -> commit offset 11

A queue that another member takes over goes through two steps. *Closing*: nothing new is
started, what runs may still finish and count. *Dropped*: results no longer count, for
the new owner repeats whatever was not committed.

Source: ``ProcessQueue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum

from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.client.consumer.limits import CacheSize
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry


class QueueState(Enum):
    """How far a queue has been given up; it goes from one to the next only."""

    OPEN = "messages are dispatched"
    CLOSING = "no further message is dispatched; results count"
    DROPPED = "the queue is another member's; results are ignored"


class ProcessQueue:
    """
    The messages of one queue that wait for the handler, or are with it.

    :param cache: counts the bytes of this queue with those of its consumer's others.
    :ivar size: bytes of their bodies.
    :ivar state: what its messages are good for.
    :ivar running: how many invocations have begun and not ended.
    """

    def __init__(self, queue: MessageQueue, cache: CacheSize | None = None) -> None:
        self.queue = queue
        self.is_retry = is_retry(queue.topic)
        self._cache = cache or CacheSize()
        self.size = 0
        self.state = QueueState.OPEN
        self.running = 0
        self._messages: OrderedDict[int, StoredMessage] = OrderedDict()
        self._highest = -1
        self._idle: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, message: StoredMessage) -> bool:
        return message.queue_offset in self._messages

    @property
    def messages(self) -> list[StoredMessage]:
        """All that are here, by queue offset."""
        return list(self._messages.values())

    @property
    def span(self) -> int:
        """Distance in queue offsets from the first message to the last; 0 if empty."""
        if not self._messages:
            return 0
        return self._highest - next(iter(self._messages))

    def put(self, messages: Iterable[StoredMessage]) -> list[StoredMessage]:
        """
        Keep what was pulled.

        :returns: those that were not here already, in the order given.
        """
        held = self._messages
        new = []
        size = 0
        sort = False
        for message in messages:
            offset = message.queue_offset
            if offset in held:
                continue
            if offset > self._highest:
                self._highest = offset
            else:
                sort = True
            held[offset] = message
            size += len(message.body)
            new.append(message)
        self._count(size)
        if sort:
            # Rare: the broker went backwards. The first key must stay the lowest.
            self._messages = OrderedDict(sorted(held.items()))
        return new

    def remove(self, messages: Iterable[StoredMessage]) -> int:
        """
        Take out what is finished.

        :returns: the offset to commit: the lowest offset still here, or one past the
            highest; -1 if nothing was here to be taken out.
        """
        held = self._messages
        found = False
        size = 0
        for message in messages:
            gone = held.pop(message.queue_offset, None)
            if gone is not None:
                found = True
                size += len(gone.body)
        if not found:
            return -1
        self._count(-size)
        return next(iter(held)) if held else self._highest + 1

    # -- invocations

    def begin(self) -> None:
        """Note that an invocation has begun."""
        self.running += 1

    def end(self) -> None:
        """Note that one has ended."""
        self.running -= 1
        if not self.running:
            waiting, self._idle = self._idle, []
            for each in waiting:
                each.callback(None)

    def when_idle(self) -> Deferred[None]:
        """Fire when no invocation runs. Cancelling gives up waiting."""
        if not self.running:
            return succeed(None)
        waiting: Deferred[None] = Deferred(
            lambda d: self._idle.remove(d) if d in self._idle else None
        )
        self._idle.append(waiting)
        return waiting

    def close(self) -> None:
        """Begin to give the queue up: nothing new is dispatched."""
        if self.state is QueueState.OPEN:
            self.state = QueueState.CLOSING

    def drop(self) -> None:
        """Give the queue up: what is here goes, and from now on results are ignored."""
        self.state = QueueState.DROPPED
        self._messages.clear()
        self._count(-self.size)

    def _count(self, size: int) -> None:
        """Add to the bytes here and to those of all queues."""
        self.size += size
        self._cache.total += size
