"""The threads of a broker, in which blocking calls run."""

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
    Two thread pools; a thread is started when it is first needed.

    :param run_in_thread: used in place of both pools, for tests.
    """

    def __init__(self, reactor: Any, run_in_thread: RunInThread | None = None) -> None:
        self._reactor = reactor
        self._replacement = run_in_thread
        # For fsyncs of the commit log only: a sender that waits for one must not wait
        # for other files, for consumers that catch up, or for a query.
        self._flushers = ThreadPool(0, 2, "flush")
        self._others = ThreadPool(0, MAX_RUNNING + 2, "store")

    def start(self) -> None:
        """Start both pools."""
        self._flushers.start()
        self._others.start()

    def stop(self) -> None:
        """Stop both pools after their current work."""
        for pool in (self._flushers, self._others):
            if pool.started:
                pool.stop()

    def flush(self, function: Callable[[], None]) -> Deferred[None]:
        """Run an fsync that senders may wait for."""
        return self._run(self._flushers, function)

    def run_in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run a blocking call that no sender waits for."""
        return self._run(self._others, function)

    def _run(self, pool: ThreadPool, function: Callable[[], None]) -> Deferred[None]:
        """Run a function in a pool, or in its replacement."""
        if self._replacement is not None:
            return self._replacement(function)
        return deferToThreadPool(self._reactor, pool, function)
