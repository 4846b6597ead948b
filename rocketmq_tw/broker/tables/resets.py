"""
Offsets that were reset by an administrator and of which a consumer must learn.

A consumer that is running goes on where it is, and commits that. So commits for a queue
that was reset are ignored until the group pulls from it next, and that pull is answered
with the offset to continue from, in any language.

Source: ``ConsumerOffsetManager.resetOffsetTable`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.errors import TooManyOffsets


class PendingResets:
    """
    The resets of which no consumer has learned yet; lost at a restart.

    :param limit: how many queues, of all groups, may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        #: Maps (topic, group) to queue id to the offset to continue from.
        self._targets: dict[tuple[str, str], dict[int, int]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return how many queues wait."""
        return self._count

    def add(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """
        Let the next pull of a queue continue from an offset.

        :raises TooManyOffsets: too many wait.
        """
        targets = self._targets.get((topic, group), {})
        if queue_id not in targets:
            if self._count >= self._limit:
                raise TooManyOffsets(self._limit)
            self._count += 1
            self._targets[topic, group] = targets
        targets[queue_id] = offset

    def waits(self, group: str, topic: str, queue_id: int) -> bool:
        """Return whether the group has to learn of a reset of a queue."""
        return queue_id in self._targets.get((topic, group), ())

    def take(self, group: str, topic: str, queue_id: int) -> int | None:
        """Return the offset to continue from, once; None if there is none."""
        targets = self._targets.get((topic, group))
        if targets is None or queue_id not in targets:
            return None
        offset = targets.pop(queue_id)
        self._count -= 1
        if not targets:
            del self._targets[topic, group]
        return offset

    def forget(self, topic: str, group: str) -> None:
        """Drop the resets of a group in a topic, one of which is deleted."""
        self._count -= len(self._targets.pop((topic, group), ()))
