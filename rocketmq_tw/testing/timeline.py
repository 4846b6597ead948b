"""
Lets time pass in a test.

``Clock.advance(60)`` jumps: a timer that is due after 1 s, and that sets the next one
when it runs, is 59 s late. A :class:`Timeline` advances from one timer to the next, so
that everything happens at its time, and an hour of retries takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

T = TypeVar("T")


class NoResult(AssertionError):
    """
    An expected event did not happen in time.

    :param what: the expected event.
    :param seconds: how long the test waited, in the clock's time.
    """

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what, seconds)
        self.what = what
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.what} did not happen within {self.seconds:g} s"


class Timeline:
    """
    Runs a clock from timer to timer.

    Its methods must not be called from code that it runs (a handler, a callback).
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._running = False

    def advance(self, seconds: float = 0.0) -> None:
        """
        Let time pass; every timer runs when it is due, including those set meanwhile.
        """
        self._go(seconds, lambda: False)

    def wait_until(self, condition: Callable[[], object], within: float = 60.0) -> None:
        """
        Let time pass until a condition is true.

        :raises NoResult: it is not true after ``within`` seconds.
        """
        if not self._go(within, lambda: bool(condition())):
            raise NoResult("what the test waits for", within)

    def result_of(
        self, awaited: Deferred[T] | Coroutine[Any, Any, T], within: float = 60.0
    ) -> T:
        """
        Let time pass until a Deferred or coroutine has its result.

        :returns: the result.
        :raises NoResult: there is none after ``within`` seconds.
        :raises Exception: the exception with which it failed.
        """
        deferred = (
            awaited
            if isinstance(awaited, Deferred)
            else Deferred.fromCoroutine(awaited)
        )
        results: list[Any] = []
        deferred.addBoth(results.append)
        if not self._go(within, lambda: bool(results)):
            raise NoResult("the result", within)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        found: T = results[0]
        return found

    def _go(self, seconds: float, is_enough: Callable[[], bool]) -> bool:
        """Run timers until ``is_enough``; return whether it was true."""
        if self._running:
            raise RuntimeError(
                "the clock is running: only the test itself may let time pass,"
                " not what it tests"
            )
        self._running = True
        try:
            return self._run(self.clock.seconds() + seconds, is_enough)
        finally:
            self._running = False

    def _run(self, end: float, is_enough: Callable[[], bool]) -> bool:
        clock = self.clock
        clock.advance(0)
        while not is_enough():
            calls = clock.getDelayedCalls()
            if not calls or calls[0].getTime() > end:
                break
            # Assigned, not added: a sum of floats may be less than the time of the
            # timer.
            clock.rightNow = max(clock.rightNow, calls[0].getTime())
            clock.advance(0)
        else:
            return True
        clock.rightNow = max(clock.rightNow, end)
        clock.advance(0)
        return is_enough()
