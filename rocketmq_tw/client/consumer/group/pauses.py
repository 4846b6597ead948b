"""The queues that the application has paused."""

from __future__ import annotations

from collections.abc import Iterable

from rocketmq_tw.model.queue import MessageQueue


class Pauses:
    """The paused queues, whether assigned to this consumer or not."""

    def __init__(self) -> None:
        self._queues: set[MessageQueue] = set()
        self._all = False

    def __contains__(self, queue: MessageQueue) -> bool:
        return self._all or queue in self._queues

    def add(self, queues: Iterable[MessageQueue] | None) -> None:
        """Pause some queues; None: all, including those assigned later."""
        if queues is None:
            self._all = True
        else:
            self._queues.update(queues)

    def remove(self, queues: Iterable[MessageQueue] | None) -> None:
        """Resume some queues; None: all."""
        if queues is None:
            self._all = False
            self._queues.clear()
        else:
            self._queues.difference_update(queues)
