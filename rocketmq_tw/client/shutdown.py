"""Stops the client before the reactor stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred


class ShutdownTrigger:
    """
    Calls a function when the reactor starts to stop, and lets it finish.

    On Control-C or SIGTERM the reactor waits for the Deferred that the function
    returns, so that an application need not stop the client itself.

    :param reactor: one without ``addSystemEventTrigger`` (``Clock``) never stops.
    """

    def __init__(self, reactor: Any, stop: Callable[[], Deferred[Any]]) -> None:
        self._reactor = reactor
        self._stop = stop
        self._trigger: list[Any] = []

    def arm(self) -> None:
        """Register the function; a second time changes nothing."""
        add = getattr(self._reactor, "addSystemEventTrigger", None)
        if add is not None and not self._trigger:
            self._trigger.append(add("before", "shutdown", self._fire))

    def disarm(self) -> None:
        """Unregister the function, so that the reactor keeps no reference to us."""
        if self._trigger:
            self._reactor.removeSystemEventTrigger(self._trigger.pop())

    def _fire(self) -> Deferred[Any]:
        """Call the function."""
        # The reactor has removed the trigger itself.
        self._trigger.clear()
        return self._stop()
