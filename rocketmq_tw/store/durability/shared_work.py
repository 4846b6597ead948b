"""Work that one run does for all who ask for it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class SharedWork:
    """
    Runs work that is not worth doing twice, such as writing a whole table.

    A run serves those who asked before it began. Others share the next one.

    :param run: begins the work; fires when it is done.
    """

    def __init__(self, run: Callable[[], Deferred[None]]) -> None:
        self._run = run
        self._asking: list[Deferred[None]] = []
        self._is_running = False

    def ask(self) -> Deferred[None]:
        """Return a Deferred for a run that begins now or later, and its failure."""
        waiting: Deferred[None] = Deferred()
        self._asking.append(waiting)
        if not self._is_running:
            self._begin()
        return waiting

    def _begin(self) -> None:
        asking, self._asking = self._asking, []
        self._is_running = True
        self._run().addBoth(self._done, asking)

    def _done(self, result: None | Failure, asking: list[Deferred[None]]) -> None:
        """Notify those who asked, and begin again for those who asked meanwhile."""
        self._is_running = False
        if self._asking:
            self._begin()
        for waiting in asking:
            waiting.callback(result)  # a Failure fails it
