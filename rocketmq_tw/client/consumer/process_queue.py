"""
What was pulled from one queue and is not consumed yet.

Messages finish in any order; the group's offset may only move over what is finished, so
it stands at the *lowest* message still here::

    offsets   10   11   12   13          14 = highest + 1
              done here done here        -> commit position 11

A queue that another member takes over goes through two steps. *Closing*: nothing new is
started, what runs may still finish and count. *Dropped*: results no longer count, for
the new owner repeats whatever we did not commit.

Source: ``ProcessQueue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry


class CacheSize(msgspec.Struct):
    """How many bytes of message bodies all queues of one consumer hold."""

    total: int = 0


class ProcessQueue:
    """
    The messages of one queue that wait for the handler, or are with it.

    :param cache: counts the bytes of this queue with those of its consumer's others.
    :ivar size: bytes of their bodies.
    :ivar closing: no further message is handed over.
    :ivar dropped: the queue is no longer ours; results are ignored.
    :ivar running: how many hand-overs have begun and not ended.
    """

    def __init__(self, queue: MessageQueue, cache: CacheSize | None = None) -> None:
        self.queue = queue
        self.is_retry = is_retry(queue.topic)
        self._cache = cache or CacheSize()
        self.size = 0
        self.closing = False
        self.dropped = False
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
        Take in what was pulled.

        :returns: those that were not here already, in the order given.
        """
        here = self._messages
        fresh = []
        size = 0
        sort = False
        for message in messages:
            at = message.queue_offset
            if at in here:
                continue
            if at > self._highest:
                self._highest = at
            else:
                sort = True
            here[at] = message
            size += len(message.body)
            fresh.append(message)
        self._count(size)
        if sort:
            # Rare: the broker went backwards. The first key must stay the lowest.
            self._messages = OrderedDict(sorted(here.items()))
        return fresh

    def remove(self, messages: Iterable[StoredMessage]) -> int:
        """
        Take out what is finished.

        :returns: the commit position: the lowest offset still here, or one past the
            highest; -1 if nothing was here to be taken out.
        """
        here = self._messages
        found = False
        size = 0
        for message in messages:
            gone = here.pop(message.queue_offset, None)
            if gone is not None:
                found = True
                size += len(gone.body)
        if not found:
            return -1
        self._count(-size)
        return next(iter(here)) if here else self._highest + 1

    # -- hand-overs

    def begin(self) -> None:
        """Note that a hand-over has begun."""
        self.running += 1

    def end(self) -> None:
        """Note that one has ended."""
        self.running -= 1
        if not self.running:
            waiting, self._idle = self._idle, []
            for each in waiting:
                each.callback(None)

    def when_idle(self) -> Deferred[None]:
        """Fire when no hand-over runs. Cancelling gives up waiting."""
        if not self.running:
            return succeed(None)
        waiting: Deferred[None] = Deferred(
            lambda d: self._idle.remove(d) if d in self._idle else None
        )
        self._idle.append(waiting)
        return waiting

    def drop(self) -> None:
        """Give the queue up: what is here goes, and from now on results are ignored."""
        self.closing = self.dropped = True
        self._messages.clear()
        self._count(-self.size)

    def _count(self, size: int) -> None:
        """Add to the bytes here and to those of all queues."""
        self.size += size
        self._cache.total += size
