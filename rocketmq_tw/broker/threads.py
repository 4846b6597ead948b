"""The threads of a broker: what blocks runs there, never on the reactor's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from rocketmq_tw.store.files.reads import MAX_RUNNING
from rocketmq_tw.threads import RunInThread


class Threads:
    """
    Two pools; no thread is there before something runs in it.

    :param run_in_thread: runs everything in their place, for tests.
    """

    def __init__(self, reactor: Any, run_in_thread: RunInThread | None = None) -> None:
        self._reactor = reactor
        self._replacement = run_in_thread
        # For the commit log and the queues alone: whoever waits for the disk must not
        # wait for other files, for readers who catch up, nor for a search.
        self._flushers = ThreadPool(0, 2, "flush")
        self._others = ThreadPool(0, MAX_RUNNING + 2, "store")

    def start(self) -> None:
        """Take work."""
        self._flushers.start()
        self._others.start()

    def stop(self) -> None:
        """Finish what runs, and end."""
        for pool in (self._flushers, self._others):
            if pool.started:
                pool.stop()

    def flush(self, function: Callable[[], None]) -> Deferred[None]:
        """Run what sends wait for."""
        return self._run(self._flushers, function)

    def run_in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run what no send waits for."""
        return self._run(self._others, function)

    def _run(self, pool: ThreadPool, function: Callable[[], None]) -> Deferred[None]:
        """Run a function in a pool."""
        if self._replacement is not None:
            return self._replacement(function)
        return deferToThreadPool(self._reactor, pool, function)
