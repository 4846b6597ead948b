"""
How many timed messages of each topic wait: ``config/timermetrics``.

These are statistics: they are written every ten seconds, so a crash leaves them off.

Source: ``TimerMetrics`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from twisted.logger import Logger

from rocketmq_tw.jsonfile import DamagedDocument, JsonFile, UnreadableDocument
from rocketmq_tw.remoting.pacing import Steps, encode_each
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.entries import encode_entry, fill
from rocketmq_tw.wire.bodies.other_tables import TimerMetricsTable

#: Topics that are encoded in one step: some 2 ms.
_AT_ONCE = 1000


class TimerMeter(Protocol):
    """Counts the timed messages of each topic that come and go."""

    def linked(self, topic: str, delays_ms: list[int]) -> None:
        """Count messages, by the times from their births until they are due."""

    def delivered(self, topic: str, count: int) -> None:
        """Count messages whose slot was emptied."""


class TimerMetrics:
    """
    The counts.

    :param file: where they are kept.
    :param limit: how many topics are counted at most.
    :ivar waiting: how many wait in all.
    """

    _log = Logger()

    # waiting is the sum of the counts that are above zero.

    def __init__(self, file: JsonFile, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._counts: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._version = DataVersion()
        self._is_changed = False
        self.waiting = 0

    def load(self) -> None:
        """
        Read the file; without a usable one what is linked from now on is counted.

        Apache RocketMQ does not start then. Here the first timed message may make this
        be read, and messages are not to wait for a count.
        """
        try:
            table = self._file.load_as(TimerMetricsTable.decode) or TimerMetricsTable()
        except (DamagedDocument, UnreadableDocument) as error:
            self._log.warn(
                "{why}; how many timed messages wait is counted from now on",
                why=str(error),
            )
            return
        self._version = table.data_version
        for topic, entry in table.timing_count.items():
            count = entry.get("count") if isinstance(entry, dict) else None
            if isinstance(count, int) and count > 0 and len(self._counts) < self._limit:
                self._add(topic, count, 0)
        self._is_changed = False

    def count(self, topic: str, change: int, now_ms: int) -> None:
        """Count messages of a topic that wait now, or wait no more."""
        if topic in self._counts or len(self._counts) < self._limit:
            self._add(topic, change, now_ms)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many messages of each topic wait; at times below zero."""
        return self._counts

    def of(self, topic: str) -> int:
        """Return how many messages of a topic wait."""
        return max(self._counts.get(topic, 0), 0)

    def body(self) -> Steps[bytes]:
        """Encode the table, in steps."""
        entries = yield from encode_each(
            self._entries(), lambda entry: encode_entry(*entry), _AT_ONCE
        )
        empty = TimerMetricsTable(data_version=self._version).encode()
        return fill(empty, b'"timingCount":{}', [entries])

    def saving(self, now_ms: int) -> Steps[None]:
        """Write the file, if anything was counted since."""
        if not self._is_changed:
            return
        self._is_changed = False
        self._version = self._version.next(now_ms)
        for topic in [each for each, count in self._counts.items() if count <= 0]:
            del self._counts[topic], self._times[topic]
        self._file.save((yield from self.body()))

    def _entries(self) -> Iterator[tuple[str, dict[str, int]]]:
        for topic, count in list(self._counts.items()):
            # It may have been left out of the file since the first step.
            time_ms = self._times.get(topic, 0)
            yield topic, {"count": max(count, 0), "timeStamp": time_ms}

    def _add(self, topic: str, change: int, now_ms: int) -> None:
        before = self._counts.get(topic, 0)
        after = before + change
        self._counts[topic], self._times[topic] = after, now_ms
        self.waiting += max(after, 0) - max(before, 0)
        self._is_changed = True
