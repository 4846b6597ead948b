"""Those who wait for one event, each with a Deferred of its own."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred


class Waiters:
    """
    Deferreds that fire together; one that is cancelled is forgotten.

    :param on_cancel: called when one is cancelled.
    """

    __slots__ = ("_on_cancel", "_waiting")

    def __init__(self, on_cancel: Callable[[], None] | None = None) -> None:
        self._on_cancel = on_cancel
        self._waiting: list[Deferred[None]] = []

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self) -> Deferred[None]:
        """Return a Deferred that fires with the next :meth:`fire`."""
        waiting: Deferred[None] = Deferred(self._forget)
        self._waiting.append(waiting)
        return waiting

    def fire(self) -> None:
        """Fire each Deferred once, even if firing one adds another."""
        fired, self._waiting = self._waiting, []
        for each in fired:
            if not each.called:
                each.callback(None)

    def _forget(self, waiting: Deferred[None]) -> None:
        """Remove a Deferred that was cancelled."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        if self._on_cancel is not None:
            self._on_cancel()
