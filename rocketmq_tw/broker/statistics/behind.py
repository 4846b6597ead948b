"""
How far a group is behind in a queue, looked up when a tool asks.

Source: ``BrokerStatsManager.recordDiskFallBehindSize`` and ``recordDiskFallBehindTime``
of RocketMQ 5, which note it with each pull and write it to a log file.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore

#: Bytes of the log since the message that the group is sent next.
FALL_SIZE = "GROUP_GET_FALL_SIZE"
#: Milliseconds since the last message that it was sent was stored.
FALL_TIME = "GROUP_GET_FALL_TIME"


class Behind:
    """
    Looks up how far groups are behind that pull.

    :param now: returns the time of day, in seconds since the epoch.
    """

    def __init__(
        self,
        store: IMessageStore,
        progress: ConsumeProgress,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._progress = progress
        self._now = now

    def of(
        self, name: str, topic: str, queue_id: int, group: str
    ) -> int | None | Deferred[int | None]:
        """
        Return how far a group is behind; 0 if it was sent the last message.

        :param name: :data:`FALL_SIZE` or :data:`FALL_TIME`.
        :returns: None if it was sent no message of the queue, or the name is another.
        """
        if name not in (FALL_SIZE, FALL_TIME):
            return None
        store = self._store
        pulled = self._progress.pulled(topic, group, queue_id)
        if pulled < 0:
            return None
        if pulled >= store.max_offset(topic, queue_id):
            return 0
        if name == FALL_SIZE:
            entries = store.entries(topic, queue_id, pulled, 1)
            return then(
                entries,
                lambda found: (
                    store.commit_log_max - found[0].commit_log_offset if found else 0
                ),
            )
        stored = store.store_time(topic, queue_id, pulled - 1)
        return then(stored, self._age_ms)

    def _age_ms(self, stored_ms: int) -> int:
        """Return how long ago a message was stored; 0 if it is not there any more."""
        return max(0, int(self._now() * 1000) - stored_ms) if stored_ms > 0 else 0
