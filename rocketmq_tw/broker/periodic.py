"""Runs the periodic work of a broker."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger


class Periodic:
    """Runs functions, each at its own period."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ticks: list[LoopingCall] = []

    def every(self, period_ms: float, function: Callable[[], object]) -> None:
        """
        Call ``function`` periodically; a failure is logged and does not end it.

        Nor does that of a Deferred that it returns; the next call does not wait for it.
        """

        def tick() -> None:
            maybeDeferred(function).addErrback(
                lambda failure: self._log.failure("periodic work failed", failure)
            )

        call = LoopingCall(tick)
        call.clock = self._clock
        call.start(period_ms / 1000, now=False)
        self._ticks.append(call)

    def stop(self) -> None:
        """Stop all of them."""
        ticks, self._ticks = self._ticks, []
        for tick in ticks:
            if tick.running:
                tick.stop()
