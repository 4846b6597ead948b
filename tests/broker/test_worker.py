"""One thread for calls that come often."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.worker import WorkerThread


class WorkerThreadTests(SynchronousTestCase):
    """Its calls, in order, and their results."""

    def setUp(self) -> None:
        """Make one; no thread runs yet."""
        self.calls: list[tuple[Any, ...]] = []
        reactor = SimpleNamespace(callFromThread=lambda *call: self.calls.append(call))
        self.worker = WorkerThread(reactor, "flush")
        self.addCleanup(self.worker.stop)

    def deliver(self) -> None:
        """Make the calls that the thread passed to the reactor."""
        for function, *arguments in self.calls:
            function(*arguments)

    def test_runs_in_order(self) -> None:
        """In one thread, which is not this one; results come by the reactor."""
        before, names = threading.active_count(), []
        for number in range(3):
            waiting = self.worker.run(
                lambda n=number: names.append((n, threading.current_thread().name))  # type: ignore[misc]
            )
        self.worker.stop()
        self.assertNoResult(waiting)
        self.deliver()
        self.successResultOf(waiting)
        self.assertEqual(names, [(0, "flush"), (1, "flush"), (2, "flush")])
        self.assertEqual(threading.active_count(), before)

    def test_failures(self) -> None:
        """Whatever is raised is the failure; the thread goes on."""
        raised = (OSError("broken"), SystemExit(), MemoryError())

        def fail(error: BaseException) -> None:
            raise error

        waiting = [self.worker.run(lambda e=error: fail(e)) for error in raised]  # type: ignore[misc]
        last = self.worker.run(lambda: None)
        self.worker.stop()
        self.deliver()
        for each, error in zip(waiting, raised, strict=True):
            self.assertIs(self.failureResultOf(each).value, error)
        self.successResultOf(last)

    def test_stopped_twice(self) -> None:
        """Nothing happens, also if nothing ever ran."""
        self.worker.stop()
        self.worker.stop()
