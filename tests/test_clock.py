"""The two times of a program."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rocketmq_tw.clock import (
    PeriodicCall,
    steady_clock,
    use_monotonic_time,
    wall_time,
)
from rocketmq_tw.testing.clocks import SettableClock


class ManualReactor(ReactorBase):
    """A reactor of Twisted that waits for nothing and has no thread pool."""

    def installWaker(self) -> None:  # noqa: N802
        """Need none: nothing comes from threads."""


def reactor_at(seconds: float) -> Any:
    """Return a reactor whose time is fixed."""
    reactor: Any = ManualReactor()
    reactor.seconds = lambda: seconds
    return reactor


class PeriodicCallTests(SynchronousTestCase):
    """Calls at equal distances."""

    def test_repeats(self) -> None:
        """It repeats on its clock until it is stopped."""
        clock = Clock()
        seen: list[float] = []
        call = PeriodicCall(lambda: seen.append(clock.seconds()), clock)
        call.start(2, now=False)
        clock.pump([2, 2, 1])
        call.stop()
        self.assertEqual((seen, clock.getDelayedCalls()), ([2, 4], []))


class MonotonicTimeTests(SynchronousTestCase):
    """A reactor that no longer schedules by the time of day."""

    def test_monotonic(self) -> None:
        """What is scheduled from now on is measured by the monotonic clock."""
        reactor = reactor_at(1e9)
        use_monotonic_time(reactor)
        self.assertIs(reactor.seconds, time.monotonic)
        call = reactor.callLater(600, int)
        self.assertTrue(0 < call.getTime() - time.monotonic() <= 600)

    def test_calls_that_exist(self) -> None:
        """What is scheduled already keeps its delay, its order and can be moved."""
        reactor = reactor_at(1e9)
        ran: list[str] = []
        reactor.callLater(0, ran.append, "now")
        late = reactor.callLater(600, ran.append, "late")
        moved = reactor.callLater(900, ran.append, "moved")
        use_monotonic_time(reactor)
        self.assertTrue(0 < late.getTime() - time.monotonic() <= 600)
        moved.reset(0)
        reactor.runUntilCurrent()
        self.assertEqual(sorted(ran), ["moved", "now"])
        self.assertEqual(reactor.getDelayedCalls(), [late])

    def test_twice(self) -> None:
        """Doing it again changes nothing."""
        reactor = reactor_at(1e9)
        use_monotonic_time(reactor)
        call = reactor.callLater(600, int)
        due = call.getTime()
        use_monotonic_time(reactor)
        self.assertEqual(call.getTime(), due)

    def test_other_clocks(self) -> None:
        """A clock of a test is left as it is."""
        clock = Clock()
        use_monotonic_time(clock)
        clock.advance(7)
        self.assertEqual(clock.seconds(), 7)


class WallTimeTests(SynchronousTestCase):
    """The time of day beside a clock."""

    def test_reactor(self) -> None:
        """Beside a reactor it is the machine's, whatever the reactor schedules by."""
        reactor = reactor_at(7)
        self.assertIs(wall_time(reactor), time.time)
        use_monotonic_time(reactor)
        self.assertIs(wall_time(reactor), time.time)
        self.assertIs(wall_time(steady_clock(reactor)), time.time)

    def test_clock(self) -> None:
        """A clock that has only one time shows the time of day."""
        clock = Clock()
        clock.advance(7)
        self.assertEqual(wall_time(clock)(), 7)

    def test_settable_clock(self) -> None:
        """One that has both is asked for its time of day."""
        clock = SettableClock()
        clock.shift_wall_time(-600)
        self.assertEqual((clock.seconds(), wall_time(clock)()), (0, -600))


class SteadyClockTests(SynchronousTestCase):
    """The clock of a library in another's program."""

    def test_reactor(self) -> None:
        """It has the monotonic time and the reactor's timers."""
        reactor = reactor_at(1e9)
        clock = steady_clock(reactor)
        verifyObject(IReactorTime, clock)
        self.assertIs(clock.seconds, time.monotonic)
        call = clock.callLater(5, int)
        self.assertEqual(clock.getDelayedCalls(), [call])
        self.assertEqual(reactor.getDelayedCalls(), [call])
        self.assertEqual(reactor.seconds(), 1e9)

    def test_other_clocks(self) -> None:
        """A clock of a test is used itself."""
        clock = Clock()
        self.assertIs(steady_clock(clock), clock)
