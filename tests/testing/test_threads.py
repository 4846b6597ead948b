"""Threads that do their work when a test says so."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.threads import deferToThreadPool
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.testing import ManualThreads, MemoryNetwork


class ManualThreadsTests(SynchronousTestCase):
    """Work waits, runs, or fails."""

    def test_waits(self) -> None:
        """Held work runs when the test says so, the oldest first."""
        threads = ManualThreads()
        one, other = threads(lambda: 1), threads(lambda: 2)
        self.assertNoResult(one)
        threads.run_one()
        self.assertEqual(self.successResultOf(one), 1)
        self.assertNoResult(other)
        threads.run()
        self.assertEqual(self.successResultOf(other), 2)

    def test_at_once(self) -> None:
        """Threads that hold nothing have the result at once."""
        threads = ManualThreads(held=False)
        self.assertEqual(self.successResultOf(threads(lambda: 1)), 1)
        threads.hold()
        waiting = threads(lambda: 2)
        self.assertNoResult(waiting)
        threads.release()
        self.assertEqual(self.successResultOf(waiting), 2)

    def test_what_is_raised(self) -> None:
        """An exception becomes the failure, whenever it is run."""
        for held in (True, False):
            threads = ManualThreads(held)
            failing = threads(lambda: 1 // 0)
            threads.run()
            self.failureResultOf(failing, ZeroDivisionError)

    def test_broken_disk(self) -> None:
        """While work is to fail, it is not run at all."""
        run: list[int] = []
        threads = ManualThreads()
        threads.fail_with(OSError(28, "no space left"))
        waiting = threads(lambda: run.append(1))
        threads.release()
        self.failureResultOf(waiting, OSError)
        self.failureResultOf(threads(lambda: run.append(2)), OSError)
        threads.fail_with(None)
        self.successResultOf(threads(lambda: run.append(3)))
        self.assertEqual(run, [3])

    def test_as_the_reactors_pool(self) -> None:
        """``deferToThreadPool`` works with a memory reactor, failures too."""
        threads = ManualThreads()
        reactor = MemoryNetwork(Clock()).reactor("10.0.0.1", threads)
        pool = reactor.getThreadPool()
        good = deferToThreadPool(reactor, pool, divmod, 7, 2)
        bad = deferToThreadPool(reactor, pool, divmod, 7, 0)
        self.assertNoResult(good)
        threads.run()
        self.assertEqual(self.successResultOf(good), (3, 1))
        self.failureResultOf(bad, ZeroDivisionError)
