"""The threads of a broker."""

from __future__ import annotations

import threading

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.threads import Threads
from rocketmq_tw.testing import ManualThreads, MemoryNetwork


class ThreadsTests(SynchronousTestCase):
    """Work runs elsewhere; how is up to whoever makes the broker."""

    def test_replacement(self) -> None:
        """With a runner of its own a broker starts no thread."""
        runner = ManualThreads()
        threads = Threads(MemoryNetwork(Clock()).reactor("10.0.0.1"), runner)
        threads.start()
        before = threading.active_count()
        flushed = threads.flush(lambda: None)
        self.assertNoResult(flushed)
        runner.run()
        self.successResultOf(flushed)
        self.assertEqual(threading.active_count(), before)
        threads.stop()

    def test_stopping_finishes_what_runs(self) -> None:
        """Work that was accepted is done before the threads end."""
        threads = Threads(MemoryNetwork(Clock()).reactor("10.0.0.1"))
        threads.start()
        ran: list[str] = []
        flushed = threads.flush(lambda: ran.append(threading.current_thread().name))
        threads.stop()
        self.successResultOf(flushed)
        self.assertIn("flush", ran[0])
        threads.stop()
