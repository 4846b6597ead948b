"""
Runs passes over all levels, each when there is something to do.

A pass says when the next one is needed: when a message is due, or a level that failed
is tried again. If it says nothing, the next one is a second later: no delay is shorter,
so a message that is stored meanwhile is seen before it is due, and so is it soon if the
time of day was set.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: The longest time between two passes, in seconds.
IDLE = 1.0


class Passes:
    """
    The passes of one service, one after the other.

    :param run: does one; the next follows when its Deferred has fired, in any way.
    :ivar running: whether there are any.
    """

    _log = Logger()

    # _scheduled is set while running, except during a pass. A pass that ends after
    # a stop, or after another start, schedules nothing: _starts counts those.

    def __init__(self, clock: IReactorTime, run: Callable[[], Deferred[None]]) -> None:
        self._clock = clock
        self._run = run
        self._wait = IDLE
        self._scheduled: IDelayedCall | None = None
        self._starts = 0
        self.running = False

    def start(self, wait: float) -> None:
        """Begin in so many seconds."""
        self.running = True
        self._starts += 1
        self._scheduled = self._clock.callLater(wait, self._pass, self._starts)

    def stop(self) -> None:
        """Begin no more of them."""
        self.running = False
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def need(self, wait: float) -> None:
        """Have the next pass begin no later than so many seconds after this one."""
        self._wait = min(self._wait, max(wait, 0.0))

    def _pass(self, start: int) -> None:
        """Do one."""
        self._scheduled = None
        self._wait = IDLE
        done = self._run()
        done.addErrback(lambda f: self._log.failure("a pass over the levels failed", f))
        done.addCallback(self._next, start)

    def _next(self, _: object, start: int) -> None:
        """Schedule the next one, unless the service was stopped meanwhile."""
        if self.running and start == self._starts:
            self._scheduled = self._clock.callLater(self._wait, self._pass, start)
