"""
Who holds which queue, of the consumers that read in order.

In memory only: after a restart clients ask again, every 20 s.

Source: ``RebalanceLockManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.model.queue import MessageQueue

#: Seconds after which a lock that was not asked for again is anyone's.
LOCK_LIFE = 60.0


class QueueLocks:
    """
    Locks on queues, for each group on its own.

    :param clock: by which locks run out.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        #: Group to queue to (client id, seconds when it last asked).
        self._held: dict[str, dict[MessageQueue, tuple[str, float]]] = {}

    def lock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> list[MessageQueue]:
        """
        Ask for queues, or keep those that are held.

        :returns: those of them that the client holds now.
        """
        now = self._clock.seconds()
        held = self._held.setdefault(group, {})
        granted = []
        for queue in queues:
            entry = held.get(queue)
            if entry is None or entry[0] == client_id or now - entry[1] > LOCK_LIFE:
                held[queue] = (client_id, now)
                granted.append(queue)
        if not held:
            del self._held[group]
        return granted

    def unlock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue]
    ) -> None:
        """Unlock queues; those that another client holds stay as they are."""
        held = self._held.get(group, {})
        for queue in queues:
            if queue in held and held[queue][0] == client_id:
                del held[queue]
        if not held:
            self._held.pop(group, None)

    def holder(self, group: str, queue: MessageQueue) -> str | None:
        """Give the client id of who holds a queue, unless the lock has run out."""
        entry = self._held.get(group, {}).get(queue)
        if entry is None or self._clock.seconds() - entry[1] > LOCK_LIFE:
            return None
        return entry[0]

    def is_locked(self, group: str) -> bool:
        """Tell whether a group holds any lock, i.e. consumes in order."""
        now = self._clock.seconds()
        held = self._held.get(group, {})
        return any(now - asked <= LOCK_LIFE for _, asked in held.values())

    def expire(self) -> None:
        """Forget locks that have run out, so that groups gone by leave nothing."""
        now = self._clock.seconds()
        for group, held in list(self._held.items()):
            for queue, (_, asked) in list(held.items()):
                if now - asked > LOCK_LIFE:
                    del held[queue]
            if not held:
                del self._held[group]
