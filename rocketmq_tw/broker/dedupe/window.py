"""
The unique keys of the messages that were stored within the windows of their topics.

Of a message only its key and its commit log offset are kept, some 200 bytes; all else
is in its record, which is read when a key comes a second time. So a record that is not
there any more, or is another message's, is never taken for the first.

The keys of a topic are kept in the order in which they were stored, and forgotten from
the oldest on: a few with each new one, and some each second.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from hashlib import blake2b
from itertools import chain

from twisted.logger import Logger

#: Longer keys are kept as digests of 16 bytes: a peer chooses how long they are.
LONGEST_KEPT = 64
#: How many are forgotten with each new key, and in one step of those that are due.
WITH_ONE, AT_ONCE = 2, 5_000
#: Of how many topics in one step.
TOPICS_AT_ONCE = 1_000


class Window:
    """
    The keys of one topic.

    :param length_ms: how long a key is kept.
    """

    __slots__ = ("_offsets", "_order", "_seconds", "length_ms")

    # _order has the keys as they were stored; a key that was stored again, because its
    # window was over, is in it twice, and in _offsets with its last offset. _seconds
    # has, for each second of store times, how many of _order there are, and the last
    # offset among them.

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self._offsets: dict[bytes, int] = {}
        self._order: deque[bytes] = deque()
        self._seconds: deque[list[int]] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def find(self, key: bytes) -> int | None:
        """Return the commit log offset under a key; None if it is not known."""
        return self._offsets.get(_kept(key))

    def add(self, key: bytes, commit_log_offset: int, store_time_ms: int) -> None:
        """Keep the key of a message that was stored."""
        kept = _kept(key)
        self._offsets[kept] = commit_log_offset
        self._order.append(kept)
        second = store_time_ms // 1000
        if self._seconds and self._seconds[-1][0] >= second:
            last = self._seconds[-1]
            last[1] += 1
            last[2] = commit_log_offset
        else:
            self._seconds.append([second, 1, commit_log_offset])

    def forget_due(self, now_ms: int, most: int) -> int:
        """Forget keys whose window is over; return how many."""
        limit = (now_ms - self.length_ms) // 1000
        count = 0
        while count < most and self._seconds and self._seconds[0][0] < limit:
            self.forget_oldest()
            count += 1
        return count

    def forget_oldest(self) -> None:
        """Forget the key that is kept longest; there has to be one."""
        key, first = self._order.popleft(), self._seconds[0]
        offset = self._offsets.get(key)
        if offset is not None and offset <= first[2]:
            del self._offsets[key]
        first[1] -= 1
        if not first[1]:
            self._seconds.popleft()


class Windows:
    """
    The windows of all topics.

    :param limit: how many keys may be kept together; past it the oldest of a topic are
        forgotten before their time.
    :ivar recognised: how many messages were sent again within their window.
    :ivar forgotten: how many keys were forgotten before their time.
    """

    _log = Logger()

    def __init__(self, limit: int) -> None:
        self._limit = limit
        #: The one that is looked at next is the first.
        self._by_topic: OrderedDict[str, Window] = OrderedDict()
        #: Windows of topics that have none any more; emptied in steps.
        self._dropped: deque[Window] = deque()
        self._count = 0
        self._has_complained = False
        self.recognised = 0
        self.forgotten = 0

    def __len__(self) -> int:
        """How many keys are kept."""
        return self._count

    def of(self, topic: str, length_ms: int) -> Window:
        """Return the window of a topic that has one; it is made when it is new."""
        window = self._by_topic.get(topic)
        if window is None:
            window = self._by_topic[topic] = Window(length_ms)
        window.length_ms = length_ms
        return window

    def drop(self, topic: str) -> None:
        """A topic has no window any more, or is gone; it may have had none."""
        window = self._by_topic.pop(topic, None)
        if window is not None:
            self._dropped.append(window)

    def add(
        self, topic: str, window: Window, key: bytes, offset: int, store_time_ms: int
    ) -> None:
        """Keep the key of a message that was stored in a topic with a window."""
        self._count -= window.forget_due(store_time_ms, WITH_ONE)
        if self._count >= self._limit:
            self._forget_early(topic, window)
        window.add(key, offset, store_time_ms)
        self._count += 1

    def forget_due(self, now_ms: int) -> None:
        """Forget keys whose window is over, some at a time; called each second."""
        left = AT_ONCE
        while self._dropped and left > 0:
            window = self._dropped[0]
            for _ in range(min(left, len(window))):
                window.forget_oldest()
                self._count -= 1
                left -= 1
            if not window:
                self._dropped.popleft()
        for _ in range(min(len(self._by_topic), TOPICS_AT_ONCE)):
            if left <= 0:
                return
            topic = next(iter(self._by_topic))
            count = self._by_topic[topic].forget_due(now_ms, left)
            self._by_topic.move_to_end(topic)
            self._count -= count
            left -= count

    def _forget_early(self, topic: str, window: Window) -> None:
        """Make room: forget the oldest key of a topic; of another if it has none."""
        if not window:
            others = chain(self._dropped, self._by_topic.values())
            window = next(other for other in others if other)
        window.forget_oldest()
        self._count -= 1
        self.forgotten += 1
        if not self._has_complained:
            self._has_complained = True
            self._log.warn(
                "{count} keys of topics with dedupe.window are kept, as many as"
                " maxDedupeKeys lets: older ones are forgotten before their time, of"
                " [{topic}] and perhaps others",
                count=self._limit,
                topic=topic,
            )


def _kept(key: bytes) -> bytes:
    """Return a key as it is kept."""
    if len(key) <= LONGEST_KEPT:
        return key
    return blake2b(key, digest_size=16).digest()
