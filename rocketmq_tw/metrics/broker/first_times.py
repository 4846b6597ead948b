"""
When the first messages were stored that a group has not committed, or was not sent.

The time of a message is read once. For a page there are so many reads as a second each
allows: until one is done, the time of the message that was the first before counts, so
that an age is too high rather than none.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.store.interfaces import IMessageStore

#: Store times that are read for each second since the last page, and for a page.
READS, MOST = 200, 3000
#: A queue offset where there is no such message.
NONE = -1

#: A topic and a queue id.
Pair = tuple[str, int]


class StoreTimes:
    """
    Reads store times.

    :ivar left: how many more are read for this page.
    """

    def __init__(self, store: IMessageStore) -> None:
        self._store = store
        self._reading: set[tuple[str, int, int]] = set()
        # Those that were read from the disk since the last page, and before that one.
        self._found: dict[tuple[str, int, int], int] = {}
        self._before: dict[tuple[str, int, int], int] = {}
        self.left = 0

    def begin(self, passed: float) -> None:
        """Begin a page so many seconds after the last one."""
        self.left = max(READS, min(MOST, int(READS * passed)))
        self._before, self._found = self._found, {}

    def read(self, pair: Pair, queue_offset: int) -> int | None:
        """Return when a message was stored, in ms; None if that takes time."""
        topic, queue_id = pair
        key = topic, queue_id, queue_offset
        known = self._before.get(key)
        if known is not None:
            return known
        if self.left <= 0 or key in self._reading:
            return None
        self.left -= 1
        try:
            found = self._store.store_time(topic, queue_id, queue_offset)
        except RocketMQError:
            return None  # too many reads wait for the disk
        if not isinstance(found, Deferred):
            return found
        self._reading.add(key)

        def read(result: object) -> None:
            """Remember it for the next page; after a failure it is read again."""
            self._reading.discard(key)
            if isinstance(result, int):
                self._found[key] = result

        found.addBoth(read)
        return self._found.get(key)


class FirstTimes:
    """
    The times of the first messages of some queues.

    :param pairs: the queues.
    :param spans: which of them belong together.
    :ivar since: of each span the time of the oldest, in ms; 0 where there is none.
    """

    def __init__(self, pairs: Sequence[Pair], spans: Sequence[slice]) -> None:
        self._pairs = pairs
        self._spans = spans
        self._offsets = [NONE] * len(pairs)
        self._times = [0] * len(pairs)
        self._lacking: set[int] = set()
        self.since: list[int] = [0] * len(spans)

    def update(
        self, offsets: list[int], times: StoreTimes, other: FirstTimes | None = None
    ) -> None:
        """
        Set the queue offsets of the first messages.

        :param other: may know some of their times.
        """
        before, self._offsets = self._offsets, offsets
        changed = self._lacking
        if offsets != before:
            pairs = enumerate(zip(offsets, before, strict=True))
            changed = changed | {each for each, (now, old) in pairs if now != old}
        if not changed:
            return
        self._lacking = {
            each for each in changed if not self._is_found(each, times, other)
        }
        since = []
        for span in self._spans:
            known = [time for time in self._times[span] if time > 0]
            since.append(min(known) if known else 0)
        self.since = since

    def _is_found(
        self, number: int, times: StoreTimes, other: FirstTimes | None
    ) -> bool:
        """Set the time of a message; return whether it is known."""
        offset = self._offsets[number]
        if offset == NONE:
            self._times[number] = 0
            return True
        found = None if other is None else other.time(number, offset)
        if found is None:
            found = times.read(self._pairs[number], offset)
        if found is None:
            return False
        self._times[number] = found
        return True

    def time(self, number: int, offset: int) -> int | None:
        """Return the time of a message, if it is the first of a queue, and known."""
        if self._offsets[number] != offset or number in self._lacking:
            return None
        return self._times[number]
