"""The methods that all stores of offsets have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from rocketmq_tw.model.queue import MessageQueue


class OffsetStore(Protocol):
    """
    The offsets of a group: cached here, stored elsewhere.

    A *committed* offset is the next one to read. It only moves forward, except when an
    offset outside the queue is repaired, or is reset by an administrator: the new
    offset is *frozen* until the queue is acquired again, so that a late result cannot
    undo it.
    """

    def read(self, queue: MessageQueue) -> int | None:
        """Return the cached offset; None if the queue is unknown."""

    def for_pull(self, queue: MessageQueue) -> int:
        """Return the offset that a pull commits; 0: none."""

    def note_sent(self, queue: MessageQueue, offset: int) -> bool:
        """Record an offset that was sent with a pull; return whether it is new."""

    def note_lost(self, queue: MessageQueue) -> None:
        """Called when the pull has failed with which a new offset was sent."""

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Move a queue's offset forward; a lower one changes nothing."""

    def freeze(self, queue: MessageQueue, offset: int) -> None:
        """Set an offset, even backwards, and keep it until the queue is forgotten."""

    def begin(self, queue: MessageQueue, offset: int, stored: bool) -> None:
        """
        Start to track a queue.

        :param stored: whether this offset is stored already.
        """

    def forget(self, queue: MessageQueue) -> None:
        """Stop tracking a queue; what is stored stays."""

    def fetch(self, queue: MessageQueue) -> Deferred[int | None]:
        """Return the stored offset; None if there is none."""

    def commit_changed(self) -> None:
        """Store the changed offsets in the background; errors are logged."""

    def commit(
        self, queues: Iterable[MessageQueue]
    ) -> Deferred[dict[MessageQueue, BaseException]]:
        """
        Store the changed offsets of these queues, and wait for it.

        :returns: the queues whose offset was not stored, and the errors; never fails.
        """
