"""Time-outs with one timer."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.time_limits import MAX_LIMITS, TimeLimit, TimeLimits


class Item:
    """Notes when it expires."""

    def __init__(self, clock: Clock, then: Callable[[], None] | None = None) -> None:
        self.clock = clock
        self.then = then
        self.expired: list[float] = []

    def expire(self) -> None:
        """Note the time."""
        self.expired.append(self.clock.seconds())
        if self.then is not None:
            self.then()


class CountingClock(Clock):
    """Counts the timers that are set."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = 0

    def callLater(self, *arguments: object, **named: object) -> object:  # noqa: N802
        """Count it."""
        self.timers += 1
        return super().callLater(*arguments, **named)  # type: ignore[arg-type]


class TimeLimitTests(SynchronousTestCase):
    """Items with the same limit."""

    def setUp(self) -> None:
        """Make a limit of a second."""
        self.clock = CountingClock()
        self.limit = TimeLimit(self.clock, 1.0)

    def add(self, then: Callable[[], None] | None = None) -> Item:
        """Add an item now."""
        item = Item(self.clock, then)
        self.limit.add(item, self.clock.seconds())
        return item

    def test_each_at_its_time(self) -> None:
        """Each expires a second after it was added, once."""
        items = []
        for _ in range(4):
            items.append(self.add())
            self.clock.advance(0.25)
        self.clock.pump([0.25] * 8)
        self.assertEqual([i.expired for i in items], [[1.0], [1.25], [1.5], [1.75]])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_discarded(self) -> None:
        """What is discarded does not expire; doing it twice does no harm."""
        first, second = self.add(), self.add()
        self.limit.discard(first)
        self.limit.discard(first)
        self.clock.advance(1)
        self.assertEqual((first.expired, second.expired), ([], [1.0]))

    def test_one_timer(self) -> None:
        """A thousand items that are all discarded in time take one timer a second."""
        for _ in range(1000):
            self.limit.discard(self.add())
            self.clock.advance(0.003)
        self.assertLessEqual(self.clock.timers, 4)

    def test_added_while_expiring(self) -> None:
        """What is added meanwhile does not delay the others."""
        later: list[Item] = []
        self.add(lambda: later.append(self.add()))
        self.clock.advance(0.5)
        second = self.add()
        self.clock.pump([0.5, 0.5, 0.5])
        self.assertEqual((second.expired, later[0].expired), ([1.5], [2.0]))

    def test_late_timer(self) -> None:
        """After a long stop of the program all that is due expires together."""
        items = [self.add() for _ in range(3)]
        self.clock.advance(5)
        self.assertEqual([item.expired for item in items], [[5.0]] * 3)

    def test_stop(self) -> None:
        """No timer is left, also when it is stopped by what expires."""
        self.add()
        self.limit.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.add(self.limit.stop)
        second = self.add()
        self.clock.advance(1)
        self.assertEqual((second.expired, self.clock.getDelayedCalls()), ([], []))


class TimeLimitsTests(SynchronousTestCase):
    """The limits of a producer."""

    def setUp(self) -> None:
        """Use as many as may be."""
        self.clock = Clock()
        self.limits = TimeLimits(self.clock)
        self.used = [self.use(seconds) for seconds in range(1, MAX_LIMITS + 1)]

    def use(self, seconds: float) -> TimeLimit:
        """Add an item to a limit."""
        limit = self.limits.of(seconds)
        limit.add(Item(self.clock), 0)
        return limit

    def test_same(self) -> None:
        """Equal seconds have the same limit."""
        self.assertIs(self.limits.of(3), self.used[2])

    def test_too_many(self) -> None:
        """A further one is shared only once the items of another have gone."""
        self.assertIsNot(self.limits.of(0.5), self.limits.of(0.5))
        self.clock.advance(1)
        self.assertIs(self.limits.of(0.5), self.limits.of(0.5))

    def test_own(self) -> None:
        """One that is not shared expires in time; else it leaves no timer."""
        before = len(self.clock.getDelayedCalls())
        item, other = Item(self.clock), Item(self.clock)
        self.limits.of(0.5).add(item, 0)
        limit = self.limits.of(0.5)
        limit.add(other, 0)
        limit.discard(other)
        self.assertEqual(len(self.clock.getDelayedCalls()), before + 1)
        self.clock.advance(0.5)
        self.assertEqual((item.expired, other.expired), ([0.5], []))

    def test_stop(self) -> None:
        """No timer is left."""
        self.limits.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
