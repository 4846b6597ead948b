"""
Queue locks: which client of a group consumes a queue in order.

They are kept in memory only: after a restart the clients lock again, every 20 s.

Source: ``RebalanceLockManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.model.queue import MessageQueue

#: Seconds after which a lock that is not renewed expires.
LOCK_LIFE = 60.0


class QueueLocks:
    """
    Locks on queues; those of different groups are independent.

    :param clock: the clock by which locks expire.
    :param limit: how many there may be, of all groups.
    :ivar refused: how many were not given because of the limit.
    """

    def __init__(self, clock: IReactorTime, limit: int = 100_000) -> None:
        self._clock = clock
        self._limit = limit
        # How many locks there are, those that have expired included.
        self._count = 0
        self.refused = 0
        #: Maps group to queue to (client id, seconds of the last request).
        self._held: dict[str, dict[MessageQueue, tuple[str, float]]] = {}

    def __len__(self) -> int:
        """Return how many locks there are."""
        return self._count

    @property
    def is_at_limit(self) -> bool:
        """Whether no lock is given for a queue that has none."""
        return self._count >= self._limit

    def lock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> list[MessageQueue]:
        """
        Lock or renew queues. At the limit only those that have a lock are locked.

        :returns: the queues among them that the client holds now.
        """
        now = self._clock.seconds()
        held = self._held.setdefault(group, {})
        granted = []
        for queue in queues:
            entry = held.get(queue)
            if entry is None:
                if self.is_at_limit:
                    self.refused += 1
                    continue
                self._count += 1
            elif entry[0] != client_id and now - entry[1] <= LOCK_LIFE:
                continue
            held[queue] = (client_id, now)
            granted.append(queue)
        if not held:
            del self._held[group]
        return granted

    def unlock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> None:
        """Unlock queues; locks of other clients are kept."""
        held = self._held.get(group, {})
        for queue in queues:
            if queue in held and held[queue][0] == client_id:
                del held[queue]
                self._count -= 1
        if not held:
            self._held.pop(group, None)

    def is_locked(self, group: str) -> bool:
        """Return whether a group holds any lock, i.e. consumes in order."""
        now = self._clock.seconds()
        held = self._held.get(group, {})
        return any(now - asked <= LOCK_LIFE for _, asked in held.values())

    def expire(self) -> None:
        """Remove expired locks, so that inactive groups take no memory."""
        now = self._clock.seconds()
        for group, held in list(self._held.items()):
            for queue, (_, asked) in list(held.items()):
                if now - asked > LOCK_LIFE:
                    del held[queue]
                    self._count -= 1
            if not held:
                del self._held[group]
