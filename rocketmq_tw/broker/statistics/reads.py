"""
What groups were sent of single queues, counted from the first time that a tool asks.

A broker has many times more queues than topics, and hardly a tool asks for one group's
reads of one queue. So nothing is counted of it until then: the first response has
zeros. From then on a pull or pop of that group and topic adds to the windows of its
queue; for others it costs a look whether there are any. An hour after the last question
it ends.

How far a group is behind is looked up when a tool asks for it.

Source: ``BrokerStatsManager`` of RocketMQ 5, which counts what a queue's readers got
for its own schedule topic only, and never shows how far groups are behind.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.statistics.windows import Windows
from rocketmq_tw.broker.tables.progress import WIDTH, ConsumeProgress
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: How many windows are looked at in one step: some 2 ms.
AT_ONCE = 2000
#: After so many samples without a question a queue is counted no more: an hour.
FORGOTTEN = 360

#: Topic, queue id and group.
Key = tuple[str, int, str]


class _Watched(msgspec.Struct):
    """The windows of a group in a queue, and when a tool asked for them."""

    windows: Windows
    asked: int


class QueueReads:
    """
    The windows of groups in queues.

    :ivar refused: how often none were made because of the limit.
    """

    def __init__(self, progress: ConsumeProgress) -> None:
        self._progress = progress
        self._table: dict[Key, _Watched] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._table)

    def find(self, key: Key, limit: int, tick: int, now: float) -> Windows | None:
        """
        Return the windows of a group in a queue, and count from now on.

        :param limit: how many there may be.
        :param tick: the number of the last sample; made at ``now`` if they are new.
        :returns: None if the group was sent nothing of the topic, or there are too
            many.
        """
        topic, queue_id, group = key
        entry = self._progress.table.get((topic, group))
        if entry is None:
            return None
        known = self._table.get(key)
        if known is None:
            if len(self._table) >= limit:
                self.refused += 1
                return None
            known = self._table[key] = _Watched(Windows(WIDTH, now), tick)
            entry.watched = {
                **(entry.watched or {}),
                queue_id: known.windows.totals,
            }
        known.asked = tick
        return known.windows

    def roll(self, tick: int) -> Steps[None]:
        """Add a row to each; forget those that no tool asks for, or that are gone."""
        for some in parts_of(list(self._table.items()), AT_ONCE):
            for key, watched in some:
                watched.windows.roll(tick)
                is_old = tick - watched.asked >= FORGOTTEN
                # Its topic may have been deleted since the last step.
                if is_old and self._table.get(key) is watched:
                    self._forget(key)
            yield None

    def _forget(self, key: Key) -> None:
        topic, queue_id, group = key
        del self._table[key]
        entry = self._progress.table.get((topic, group))
        if entry is not None and entry.watched is not None:
            entry.watched.pop(queue_id, None)
            entry.watched = entry.watched or None

    def drop(self, topic: str) -> None:
        """Forget the queues of a topic that was deleted."""
        for key in [each for each in self._table if each[0] == topic]:
            self._forget(key)
