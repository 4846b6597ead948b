"""
Windows that are counted for as long as tools ask for them.

A broker has many times more queues than topics, and hardly a tool asks for what is
counted of single queues. So nothing is until a tool asks for the first time, and the
first response has zeros. An hour after the last question it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from rocketmq_tw.broker.statistics.windows import Windows
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: How many windows are looked at in one step: some 2 ms.
AT_ONCE = 2000
#: After so many samples without a question a queue is counted no more: an hour.
FORGOTTEN = 360

#: Begins with a topic.
K = TypeVar("K", bound=tuple[Any, ...])


class _Watched(msgspec.Struct):
    """Windows, and when a tool asked for them."""

    windows: Windows
    asked: int


class WatchedWindows(Generic[K]):
    """
    The windows that tools ask for.

    :param width: how many counters each has.
    :param attach: lets what is counted of a key grow the counters from now on.
    :param detach: ends that.
    :ivar refused: how often none were made because of the limit.
    """

    def __init__(
        self,
        width: int,
        attach: Callable[[K, list[int]], object],
        detach: Callable[[K], object],
    ) -> None:
        self._width = width
        self._attach = attach
        self._detach = detach
        self._table: dict[K, _Watched] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._table)

    def find(self, key: K, limit: int, tick: int, now: float) -> Windows | None:
        """
        Return the windows of a key, and count from now on.

        :param limit: how many there may be.
        :param tick: the number of the last sample; made at ``now`` if they are new.
        :returns: None if there are too many.
        """
        known = self._table.get(key)
        if known is None:
            if len(self._table) >= limit:
                self.refused += 1
                return None
            known = self._table[key] = _Watched(Windows(self._width, now), tick)
            self._attach(key, known.windows.totals)
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

    def drop(self, topic: str) -> None:
        """Forget those of a topic that was deleted."""
        for key in [each for each in self._table if each[0] == topic]:
            self._forget(key)

    def _forget(self, key: K) -> None:
        del self._table[key]
        self._detach(key)
