"""The threads of a broker, in which blocking calls run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from rocketmq_tw.broker.worker import WorkerThread
from rocketmq_tw.store.files.reads import MAX_RUNNING
from rocketmq_tw.threads import RunInThread


class Threads:
    """
    A thread and a pool of threads; each is started when it is first needed.

    :param run_in_thread: used in place of both, for tests.
    """

    def __init__(self, reactor: Any, run_in_thread: RunInThread | None = None) -> None:
        self._reactor = reactor
        self._replacement = run_in_thread
        # For fsyncs of the commit log only: a sender that waits for one must not wait
        # for other files, for consumers that catch up, or for a query.
        self._flusher = WorkerThread(reactor, "flush")
        self._others = ThreadPool(0, MAX_RUNNING + 2, "store")

    def start(self) -> None:
        """Start the pool."""
        self._others.start()

    def stop(self) -> None:
        """Stop all threads after their current work."""
        self._flusher.stop()
        if self._others.started:
            self._others.stop()

    def flush(self, function: Callable[[], None]) -> Deferred[None]:
        """Run an fsync that senders may wait for."""
        if self._replacement is not None:
            return self._replacement(function)
        return self._flusher.run(function)

    def run_in_thread(self, function: Callable[[], None]) -> Deferred[None]:
        """Run a blocking call that no sender waits for."""
        if self._replacement is not None:
            return self._replacement(function)
        return deferToThreadPool(self._reactor, self._others, function)
