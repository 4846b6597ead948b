"""Tests of :mod:`rocketmq_tw.store.durability.release`."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.group_commit import FlushWaiters
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition
from rocketmq_tw.store.durability.release import Dispatch, Release
from rocketmq_tw.store.interfaces import FlushOutcome
from tests.remoting.test_reactor_share import Iterations


class ReleaseTests(SynchronousTestCase):
    """Messages of 1 byte, of which three are dispatched at a stretch."""

    def setUp(self) -> None:
        """Begin with nothing on disk."""
        self.clock = Iterations()
        self.waiters = FlushWaiters(self.clock, 5.0)
        self.addCleanup(self.waiters.stop)
        self.dispatched = 0
        self.most = 0
        self.released: list[tuple[int, int]] = []
        self.failures: list[Failure] = []
        self.release = self.make(self.dispatch)

    def make(self, dispatch: Dispatch | None) -> Release:
        """Make one."""
        return Release(
            clock=self.clock,
            waiters=self.waiters,
            dispatch=dispatch,
            on_released=lambda at, time: self.released.append((at.end, time)),
            on_failure=self.failures.append,
        )

    def dispatch(self, end: int) -> int:
        """Dispatch some."""
        before = self.dispatched
        self.dispatched = min(end, before + 3)
        self.most = max(self.most, self.dispatched - before)
        return self.dispatched

    def waiting(self, *ends: int) -> list[Deferred[FlushOutcome]]:
        """Wait for offsets."""
        return [self.waiters.wait(end) for end in ends]

    def flushed(self, end: int) -> None:
        """Report that all before an offset is on disk."""
        self.release.flushed(LogPosition(end, end - 1), end * 1000)

    def test_few(self) -> None:
        """They are released at once; nothing is scheduled."""
        first, second = self.waiting(2, 4)
        self.flushed(3)
        self.assertEqual(self.successResultOf(first), FlushOutcome.ON_DISK)
        self.assertNoResult(second)
        self.assertEqual(self.released, [(3, 3000)])
        self.assertEqual(len(self.clock.calls), 1)  # that of the waiters

    def test_many(self) -> None:
        """Some are released in each iteration; the checkpoint follows in the end."""
        waiting = self.waiting(*range(1, 11))
        self.flushed(10)
        for released in (3, 6, 9):
            self.assertEqual(sum(each.called for each in waiting), released)
            self.assertEqual(self.released, [])
            self.clock.iterate()
        self.assertEqual(self.released, [(10, 10_000)])
        self.assertTrue(all(each.called for each in waiting))
        self.assertEqual(self.most, 3)
        self.assertEqual(len(self.clock.calls), 1)

    def test_next_fsync_meanwhile(self) -> None:
        """What it covers follows in order, at the same pace."""
        waiting = self.waiting(*range(1, 9))
        self.flushed(5)
        self.flushed(8)
        self.assertEqual(sum(each.called for each in waiting), 3)
        self.clock.iterate(3)
        self.assertTrue(all(each.called for each in waiting))
        self.assertEqual(self.released, [(8, 8000)])
        self.assertEqual(self.most, 3)

    def test_finish(self) -> None:
        """When the store closes, nobody waits for what is on disk."""
        waiting = self.waiting(*range(1, 11))
        self.flushed(10)
        self.release.finish()
        self.assertTrue(all(each.called for each in waiting))
        self.assertEqual(self.released, [(10, 10_000)])
        self.release.finish()
        self.clock.iterate()
        self.assertEqual(self.released, [(10, 10_000)])

    def test_readable_before(self) -> None:
        """Without SYNC_FLUSH there is nothing to dispatch."""
        self.release = self.make(None)
        self.flushed(10)
        self.assertEqual(self.released, [(10, 10_000)])

    def test_failure(self) -> None:
        """An error in a later part is reported."""

        def dispatch(end: int) -> int:
            if self.dispatched:
                raise OSError("no space")
            return self.dispatch(end)

        self.release = self.make(dispatch)
        self.flushed(10)
        self.clock.iterate()
        [failure] = self.failures
        failure.trap(OSError)
