"""Closes connections on which nothing is sent or received."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class IdleTimer:
    """
    Checks when a connection was last active.

    Traffic does not reset it, which would cost a timer for each read: it checks at the
    earliest time at which the connection can be idle, and again after the remaining
    time.

    :param timeout: seconds without a byte in either direction; 0 disables the check.
    :param last_active: returns when a byte was last sent or received, in seconds.
    :param on_idle: called when the connection is idle.
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
        """Start checking."""
        if self._timeout:
            self._check = self._clock.callLater(self._timeout, self._look)

    def stop(self) -> None:
        """Stop checking, for good; nothing of the connection is referred to then."""
        if self._check is not None and self._check.active():
            self._check.cancel()
        self._check = None
        self._last_active, self._on_idle = float, _nothing

    def _look(self) -> None:
        """Call ``on_idle`` if the connection is idle, otherwise check again later."""
        quiet = self._clock.seconds() - self._last_active()
        if quiet < self._timeout:
            self._check = self._clock.callLater(self._timeout - quiet, self._look)
        else:
            self._on_idle()


def _nothing() -> None:
    """Do nothing."""
