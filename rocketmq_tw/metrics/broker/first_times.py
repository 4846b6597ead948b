"""
When the first messages were stored that a group has not committed, or was not sent.

A message that was not there when the last page was made is taken for as old as that
page, if that is not long ago. The time of any other is read once. For a page there are
so many reads as a second each allows: until one is done, the time of the message that
was the first before counts, so that an age is too high rather than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import ne

from twisted.internet.defer import Deferred

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.store.interfaces import IMessageStore

#: Store times that are read for each second since the last page, and for a page.
READS, MOST = 100, 2000
#: Seconds since the last page for which that counts as the time of new messages.
RECENT = 2.0
#: A queue offset where there is no such message.
NONE = -1
#: Where it is not known which message was the first before.
_UNKNOWN = -2

#: A topic and a queue id.
Pair = tuple[str, int]
#: A queue offset and the time of its message; below 0 the time is that of one before.
Known = tuple[int, int]
#: Nothing was ever first.
NOTHING: Known = (NONE, 0)


class StoreTimes:
    """
    Reads store times.

    :ivar left: how many more are read for this page.
    :ivar recent_ms: when the last page was made; 0 if that is too long ago.
    """

    # _found has those that were read from the disk since the last page, _before those
    # from before that one.

    def __init__(self, store: IMessageStore) -> None:
        self._store = store
        self._reading: set[tuple[str, int, int]] = set()
        self._found: dict[tuple[str, int, int], int] = {}
        self._before: dict[tuple[str, int, int], int] = {}
        self.left = self.recent_ms = 0

    def begin(self, passed: float, before: float = 0) -> None:
        """
        Begin a page so many seconds after the last one.

        :param before: when that was, in seconds since the epoch.
        """
        self.recent_ms = int(before * 1000) if 0 <= passed <= RECENT else 0
        self.left = max(READS, min(MOST, int(READS * passed)))
        self._before, self._found = self._found, {}

    @property
    def has_any(self) -> bool:
        """Whether there may be any time that was asked for."""
        return self.left > 0 or bool(self._before)

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
    :param known: of each queue the queue offset of a first message, and its time.
    :ivar since: of each span the time of the oldest, in ms; 0 where there is none.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        spans: Sequence[slice],
        known: Sequence[Known],
    ) -> None:
        self._pairs = pairs
        self._spans = spans
        self._offsets = [offset for offset, _ in known]
        self._times = [time for _, time in known]
        self._lacking: set[int] = set()
        self.since = self._oldest()

    @property
    def known(self) -> list[Known]:
        """Of each queue the queue offset of the first message, and its time."""
        offsets = list(self._offsets)
        for each in self._lacking:
            offsets[each] = _UNKNOWN
        return list(zip(offsets, self._times, strict=True))

    def update(
        self,
        offsets: list[int],
        times: StoreTimes,
        other: FirstTimes | None = None,
        ends: Sequence[int] | None = None,
    ) -> None:
        """
        Set the queue offsets of the first messages.

        :param other: may know some of their times.
        :param ends: where the queues ended when the last page was made.
        """
        before, self._offsets = self._offsets, offsets
        changed = self._lacking
        if offsets != before:
            assert len(offsets) == len(before)
            differing = compress(range(len(offsets)), map(ne, offsets, before))
            changed = changed.union(differing)
        if not changed:
            return
        found = self._find_recent(changed, times, ends) if ends else set()
        found |= self._find(changed - found, times, other)
        self._lacking = changed - found
        if found:
            self.since = self._oldest()

    def forget(self, numbers: Iterable[int]) -> None:
        """Others have come in the place of these queues; so have their messages."""
        self._offsets = list(self._offsets)
        for each in numbers:
            self._offsets[each] = _UNKNOWN

    def copy(self) -> FirstTimes:
        """Return another with the same times."""
        return FirstTimes(self._pairs, self._spans, self.known)

    def _oldest(self) -> list[int]:
        """Return the time of the oldest message of each span."""
        return [min(filter(None, self._times[each]), default=0) for each in self._spans]

    def _find_recent(
        self, changed: set[int], times: StoreTimes, ends: Sequence[int]
    ) -> set[int]:
        """Set the times of messages that are new; return those."""
        recent_ms, offsets = times.recent_ms, self._offsets
        if not recent_ms:
            return set()
        found = {each for each in changed if offsets[each] >= ends[each]}
        for each in found:
            self._times[each] = recent_ms
        return found

    def _find(
        self, changed: set[int], times: StoreTimes, other: FirstTimes | None
    ) -> set[int]:
        """Set the times of messages; return those that are known."""
        found = set()
        offsets, has_any = self._offsets, times.has_any
        for each in changed:
            offset = offsets[each]
            time: int | None = 0
            if offset != NONE:
                time = None if other is None else other._time(each, offset)
                if time is None and has_any:
                    time = times.read(self._pairs[each], offset)
            if time is not None:
                self._times[each] = max(0, time)
                found.add(each)
        return found

    def _time(self, number: int, offset: int) -> int | None:
        """Return the time of a message, if it is the first of a queue, and known."""
        if self._offsets[number] != offset or number in self._lacking:
            return None
        return self._times[number]
