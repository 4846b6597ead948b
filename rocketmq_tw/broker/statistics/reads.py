"""
What groups were sent of single queues, for tools that ask for it.

From the first question on a pull or pop of that group and topic adds to the windows of
its queue; for others it costs a look whether there are any
(:mod:`~rocketmq_tw.broker.statistics.watched`).

How far a group is behind is looked up when a tool asks for it.

Source: ``BrokerStatsManager`` of RocketMQ 5, which counts what a queue's readers got
for its own schedule topic only, and never shows how far groups are behind.
"""

from __future__ import annotations

from rocketmq_tw.broker.statistics.watched import WatchedWindows
from rocketmq_tw.broker.statistics.windows import Windows
from rocketmq_tw.broker.tables.progress import WIDTH, ConsumeProgress

#: Topic, queue id and group.
Key = tuple[str, int, str]


class QueueReads:
    """The windows of groups in queues: see :class:`WatchedWindows`."""

    def __init__(self, progress: ConsumeProgress) -> None:
        self._progress = progress
        self._windows = WatchedWindows[Key](WIDTH, self._attach, self._detach)
        self.roll = self._windows.roll
        self.drop = self._windows.drop

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def refused(self) -> int:
        """How often none were made because of the limit."""
        return self._windows.refused

    def find(self, key: Key, limit: int, tick: int, now: float) -> Windows | None:
        """
        Return the windows of a group in a queue, and count from now on.

        :returns: None if the group was sent nothing of the topic, or there are too
            many.
        """
        topic, _, group = key
        if (topic, group) not in self._progress.table:
            return None
        return self._windows.find(key, limit, tick, now)

    def _attach(self, key: Key, totals: list[int]) -> None:
        topic, queue_id, group = key
        entry = self._progress.table[topic, group]
        entry.watched = {**(entry.watched or {}), queue_id: totals}

    def _detach(self, key: Key) -> None:
        topic, queue_id, group = key
        entry = self._progress.table.get((topic, group))
        if entry is not None and entry.watched is not None:
            entry.watched.pop(queue_id, None)
            entry.watched = entry.watched or None
