"""
One thread for calls that come thousands of times a second.

A pool's hand-over takes many locks, each of which may make the thread wait for the
interpreter. Here a call is passed through one C queue, and its result through the
reactor's own.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

_Job = tuple[Callable[[], None], "Deferred[None]"]


class WorkerThread:
    """
    Runs calls in one thread, in order; the thread is started by the first.

    :param reactor: the results are delivered in its thread.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    def run(self, function: Callable[[], None]) -> Deferred[None]:
        """Run a call; fires when it has returned, or fails with what it raised."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        done: Deferred[None] = Deferred()
        self._jobs.put((function, done))
        return done

    def stop(self) -> None:
        """End the thread after the calls that were passed to it."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        self._thread = None

    def _work(self) -> None:
        """Run calls until there is none."""
        get, call_from_thread = self._jobs.get, self._reactor.callFromThread
        while (job := get()) is not None:
            function, done = job
            try:
                function()
            except BaseException:
                call_from_thread(done.errback, Failure())
            else:
                call_from_thread(done.callback, None)
