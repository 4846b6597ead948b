"""
The two times of a program: one that only advances, and the time of day.

Ages, time-outs and periods are measured by a clock that nobody can set; what is stored
or shown is the time of day, which can be set while the program runs. Both come from
the clock that a part is given: a reactor, or a double in tests.

A reactor of Twisted takes the time of day for both. If it is set back by ten minutes,
nothing that is scheduled runs for ten minutes; if it is set forward, everything is late
at once. So the programs of this package call :func:`use_monotonic_time` first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from twisted.internet.base import DelayedCall, ReactorBase
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from zope.interface import implementer

#: Returns a time in seconds.
Seconds = Callable[[], float]


def use_monotonic_time(reactor: Any) -> None:
    """
    Let a reactor schedule by the monotonic clock instead of the time of day.

    Call it before anything is scheduled. What is scheduled already keeps its delay, but
    the phase of a ``LoopingCall`` that runs already shifts once.

    From then on ``reactor.seconds()`` counts from an arbitrary moment, such as the
    start of the machine. That is the reason why a
    :class:`~rocketmq_tw.client.client.Client` does not do this by itself: its program
    may take ``reactor.seconds()`` for the time of day, as the log of ``twisted.web``
    does.

    :param reactor: a reactor of Twisted; anything else, such as a ``task.Clock``, is
        left as it is.
    """
    if not isinstance(reactor, ReactorBase) or reactor.seconds is time.monotonic:
        return
    ahead = time.monotonic() - reactor.seconds()
    reactor.seconds = time.monotonic
    for call in reactor.getDelayedCalls():
        assert isinstance(call, DelayedCall)
        # All shift by the same time, so they stay in order.
        call.time += ahead
        call.seconds = time.monotonic


@runtime_checkable
class _HasBothTimes(Protocol):
    """A clock that knows the time of day besides its own time."""

    def wall_seconds(self) -> float:
        """Return the time of day, in seconds since the epoch."""


def wall_time(clock: IReactorTime) -> Seconds:
    """
    Return the function that returns the time of day, in seconds since the epoch.

    :param clock: a reactor of Twisted, or a clock with a method ``wall_seconds``. Other
        clocks, such as ``task.Clock``, are taken to show the time of day.
    """
    if isinstance(clock, ReactorBase):
        return time.time
    return clock.wall_seconds if isinstance(clock, _HasBothTimes) else clock.seconds


def time_of_day() -> float:
    """Return it in seconds since the epoch, for a program without a reactor."""
    return time.time()


def steady_clock(reactor: IReactorTime) -> IReactorTime:
    """
    Return a clock for a library in a program whose reactor is not its own.

    It measures ages by the monotonic clock and schedules with the reactor. Timers can
    still run early or late when the time of day is set, but what they then look at has
    its true age.

    :param reactor: a reactor of Twisted; anything else is returned as it is.
    """
    return _SteadyClock(reactor) if isinstance(reactor, ReactorBase) else reactor


class PeriodicCall(LoopingCall):
    """
    A ``LoopingCall`` on a given clock. The base class imports the global reactor, which
    a library must not do: a program may still install another, or have none.
    """

    def __init__(self, function: Callable[[], object], clock: IReactorTime) -> None:
        # All that the base class does, but for the import.
        self.f = function
        self.a = ()
        self.kw = {}
        self.clock = clock


@implementer(IReactorTime)
class _SteadyClock:
    """The monotonic clock, with the timers of a reactor."""

    def __init__(self, reactor: ReactorBase) -> None:
        # The functions themselves: these are on the path of every message.
        self.seconds = time.monotonic
        self.wall_seconds = time.time
        self.callLater = reactor.callLater
        self.getDelayedCalls = reactor.getDelayedCalls
