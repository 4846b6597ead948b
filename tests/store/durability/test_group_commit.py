"""Tests of group commit: who waits for the disk, and how long."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.group_commit import FlushWaiters
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.store.interfaces import FlushOutcome

SAFE = FlushOutcome.ON_DISK


class FlushWaitersTests(SynchronousTestCase):
    """The list of those who wait."""

    def setUp(self) -> None:
        """Begin with nobody."""
        self.clock = Clock()
        self.waiters = FlushWaiters(self.clock, 5.0)

    def test_lets_go_what_is_reached(self) -> None:
        """Up to the offset, the offset itself included."""
        first, second, third = (self.waiters.wait(end) for end in (10, 20, 30))
        self.waiters.reached(20)
        self.assertEqual(self.successResultOf(first), SAFE)
        self.assertEqual(self.successResultOf(second), SAFE)
        self.assertNoResult(third)
        self.waiters.reached(30)
        self.successResultOf(third)

    def test_each_has_its_time(self) -> None:
        """One timer serves all; the second is not cut short by the first."""
        first = self.waiters.wait(10)
        self.clock.advance(3)
        second = self.waiters.wait(20)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(2)
        self.assertEqual(self.successResultOf(first), FlushOutcome.TIMED_OUT)
        self.assertNoResult(second)
        self.clock.advance(3)
        self.assertEqual(self.successResultOf(second), FlushOutcome.TIMED_OUT)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_fail_at_once(self) -> None:
        """And nothing is left to do."""
        waiting = [self.waiters.wait(end) for end in (10, 20)]
        self.waiters.fail(StoreNotWriteable("why"))
        for each in waiting:
            self.failureResultOf(each, StoreNotWriteable)
        self.assertEqual((len(self.waiters), self.clock.getDelayedCalls()), (0, []))

    def test_cancelled(self) -> None:
        """Who waits no more is passed over."""
        for end in (self.waiters.reached, lambda _: self.clock.advance(5)):
            waiting = self.waiters.wait(10)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            end(10)
        waiting = self.waiters.wait(10)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.waiters.fail(StoreNotWriteable("why"))

    def test_firing_may_wait_again(self) -> None:
        """A callback that sends the next message disturbs nobody."""
        again: list[Deferred[FlushOutcome]] = []
        first = self.waiters.wait(10)
        first.addCallback(lambda _: again.append(self.waiters.wait(20)))
        self.waiters.reached(10)
        self.assertNoResult(again[0])
        self.waiters.reached(20)
        self.assertEqual(self.successResultOf(again[0]), SAFE)

    def test_a_waiter_is_called_once(self) -> None:
        """However often it was added since the last flush."""
        calls: list[int] = []

        class Waiter:
            """Waits for 30."""

            def flushed(self, end: int) -> bool:
                """Note the end."""
                calls.append(end)
                return end < 30

            def expired(self, before: float) -> float | None:
                """Not called here."""
                raise AssertionError

            def failed(self, error: Exception) -> None:
                """Not called here."""
                raise AssertionError

        waiter = Waiter()
        for _ in range(3):
            self.waiters.add(waiter)
        self.waiters.reached(20)
        self.waiters.reached(30)
        self.waiters.reached(40)
        self.assertEqual(calls, [20, 30])
        self.waiters.stop()

    def test_one_that_raises(self) -> None:
        """The others are notified all the same."""
        for notify in (
            lambda: self.waiters.reached(10),
            lambda: self.clock.advance(5),
            lambda: self.waiters.fail(StoreNotWriteable("why")),
        ):
            self.waiters._waiting[object()] = None  # type: ignore[index]
            waiting = self.waiters.wait(10)
            waiting.addErrback(lambda failure: failure.trap(StoreNotWriteable))
            notify()
            self.successResultOf(waiting)
            self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
