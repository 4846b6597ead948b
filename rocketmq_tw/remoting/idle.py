"""Connections on which nothing happens are cut."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class IdleTimer:
    """
    Watches when something last came or went.

    It is not reset by traffic, which would cost a timer for every read: it looks when
    the time would be up at the earliest, and waits for the rest.

    :param timeout: seconds without a byte in either direction; 0 watches nothing.
    :param last_active: gives the time, in seconds, of the last one.
    :param on_idle: called once the time is up.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        timeout: float,
        last_active: Callable[[], float],
        on_idle: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._last_active = last_active
        self._on_idle = on_idle
        self._check: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to watch."""
        if self._timeout:
            self._check = self._clock.callLater(self._timeout, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._check is not None and self._check.active():
            self._check.cancel()

    def _look(self) -> None:
        """Look whether the time is up; else wait for the rest."""
        quiet = self._clock.seconds() - self._last_active()
        if quiet < self._timeout:
            self._check = self._clock.callLater(self._timeout - quiet, self._look)
        else:
            self._on_idle()
