"""When first messages were stored."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker.first_times import (
    MOST,
    NONE,
    NOTHING,
    READS,
    RECENT,
    FirstTimes,
    StoreTimes,
)
from rocketmq_tw.store.errors import TooManyReads

PAIRS = [("T", 0), ("T", 1), ("U", 0)]
SPANS = [slice(0, 2), slice(2, 3)]


class Times:
    """A store that knows when messages were stored: in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.results: dict[tuple[str, int, int], Any] = {}

    def store_time(self, *key: Any) -> Any:
        """Return 100 ms for each queue offset, unless the test says otherwise."""
        self.asked.append(key)
        result = self.results.get(key, 1000 + 100 * key[2])
        if isinstance(result, Exception):
            raise result
        return result


class FirstTimesTests(SynchronousTestCase):
    """The oldest of some queues."""

    def setUp(self) -> None:
        """Start with three queues of two topics."""
        self.store = Times()
        store: Any = self.store
        self.times = StoreTimes(store)
        self.first = FirstTimes(PAIRS, SPANS, [NOTHING] * len(PAIRS))

    def page(self, *offsets: int, passed: float = 1) -> list[int]:
        """Look at the first messages, for a new page."""
        self.times.begin(passed)
        self.first.update(list(offsets), self.times)
        return self.first.since

    def test_oldest(self) -> None:
        """Of each topic the oldest counts; without messages there is none."""
        self.assertEqual(self.page(3, 2, NONE), [1200, 0])

    def test_read_once(self) -> None:
        """What has not moved is not read again."""
        self.page(3, 2, 0)
        self.page(3, 4, 0)
        self.assertEqual(self.store.asked[3:], [("T", 1, 4)])
        self.assertEqual(self.page(NONE, NONE, NONE), [0, 0])

    def test_new(self) -> None:
        """What came since the last page is as old as that, without a read."""
        self.page(3, 2, 5)
        del self.store.asked[:]
        for passed, read in ((1.0, False), (RECENT, False), (RECENT + 0.1, True)):
            self.times.begin(passed, 7.5)
            self.first.update([4, 2, 6], self.times, None, [4, 9, 6])
            expected = [1200, 1600] if read else [1200, 7500]
            self.assertEqual(
                (self.first.since, self.store.asked == []), (expected, not read)
            )
            self.page(3, 2, 5)
            del self.store.asked[:]

    def test_unknown(self) -> None:
        """A message whose time is not known does not count."""
        self.store.results["T", 0, 3] = -1
        self.assertEqual(self.page(3, 5, NONE), [1500, 0])

    def test_from_other(self) -> None:
        """What is known of the same messages is not read."""
        self.page(3, 2, NONE)
        asked = len(self.store.asked)
        other = FirstTimes(PAIRS, SPANS, [NOTHING] * len(PAIRS))
        other.update([3, 2, NONE], self.times, self.first)
        self.assertEqual(other.since, [1200, 0])
        self.assertEqual(len(self.store.asked), asked)

    def test_from_disk(self) -> None:
        """While a time is read, that of the message before counts."""
        self.assertEqual(self.page(1, NONE, NONE), [1100, 0])
        reading = self.store.results["T", 0, 2] = Deferred()
        self.assertEqual(self.page(2, NONE, NONE), [1100, 0])
        self.assertEqual(self.page(2, NONE, NONE), [1100, 0])
        reading.callback(5000)
        self.assertEqual(self.page(2, NONE, NONE), [5000, 0])
        self.assertEqual(len(self.store.asked), 2)

    def test_read_fails(self) -> None:
        """A time that could not be read is asked for again."""
        self.store.results["T", 0, 2] = TooManyReads(1)
        self.assertEqual(self.page(2, NONE, NONE), [0, 0])
        self.store.results.clear()
        self.assertEqual(self.page(2, NONE, NONE), [1200, 0])

    def test_nobody_waits(self) -> None:
        """What was read for a group that has moved on is forgotten."""
        reading = self.store.results["T", 0, 2] = Deferred()
        self.page(2, NONE, NONE)
        reading.callback(5000)
        self.page(3, NONE, NONE)
        self.page(3, NONE, NONE)
        self.store.results.clear()
        self.assertEqual(self.page(2, NONE, NONE), [1200, 0])

    def test_budget(self) -> None:
        """A page reads as many times as its seconds allow, within bounds."""
        for passed, expected in ((0, READS), (2, 2 * READS), (1e9, MOST)):
            self.times.begin(passed)
            self.assertEqual(self.times.left, expected)
        self.times.left = 1
        self.first.update([1, 1, 1], self.times)
        self.assertEqual(len(self.store.asked), 1)
