"""
Time as a test sees it.

``Clock.advance(60)`` jumps: a timer that is due after 1 s, and sets the next one when
it runs, is 59 s late. A :class:`Timeline` goes from one timer to the next, so that
everything happens at its time, and an hour of retries takes milliseconds.
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
    What a test waited for did not happen in time.

    :param what: what was waited for.
    :param seconds: for how long, in the clock's time.
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

    None of its methods may be called by what it runs (a handler, a callback).
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._running = False

    def advance(self, seconds: float = 0.0) -> None:
        """Let time pass; every timer runs when it is due, also those set meanwhile."""
        self._go(seconds, lambda: False)

    def wait_until(self, condition: Callable[[], object], within: float = 60.0) -> None:
        """
        Let time pass until a condition holds.

        :raises NoResult: it does not, after ``within`` seconds.
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
        :raises Exception: what it failed with.
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
        """Run timer after timer until it is enough; return whether it ever was."""
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
            # Set, not added: a sum of floats might stop short of the time it is for.
            clock.rightNow = max(clock.rightNow, calls[0].getTime())
            clock.advance(0)
        else:
            return True
        clock.rightNow = max(clock.rightNow, end)
        clock.advance(0)
        return is_enough()
