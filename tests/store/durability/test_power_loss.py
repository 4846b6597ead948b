"""What is left when the power goes: what was not forced to disk is forgotten."""

from __future__ import annotations

import os
import random

from rocketmq_tw.store.errors import StoreError, StoreUnreadable
from rocketmq_tw.testing import ManualThreads
from tests.store.disks import ForgetfulDisk
from tests.store.workload import Workload, WorkloadCase

_STEPS = 180
#: Queues are flushed so often that a short workload does it.
OFTEN = {"flush_consume_queue_thorough_interval": 1.0}


class PowerLossCase(WorkloadCase):
    """Works, and cuts the power."""

    many = ForgetfulDisk.many

    def worked(
        self, steps: int, fails_at: int | None = None, **options: object
    ) -> tuple[ForgetfulDisk, Workload | None]:
        """Work on a new store; the power is not cut yet, the store not closed."""
        root = self.mktemp()
        os.makedirs(root)
        disk, thread = ForgetfulDisk(root), ManualThreads()
        disk.many = self.many
        if fails_at is not None:
            disk.fail("sync", fails_at)
        try:
            store, clock = self.open_on(root, disk, thread, **options)
        except StoreUnreadable:
            return disk, None
        workload = Workload(store, clock, thread, disk)
        for _ in range(steps):
            workload.run(1)
            if disk.failed:
                workload.run(20)
                break
        self.addCleanup(self._close, workload)
        return disk, workload

    def _close(self, workload: Workload) -> None:
        """Close a store of which nobody expects anything any more."""
        closed = workload.store.close()
        workload.finish()
        closed.addErrback(lambda _: None)
        self.flushLoggedErrors(OSError)


class ManyFilesTests(PowerLossCase):
    """Where the files of queues are so many that the whole file system is flushed."""

    many = 2

    def test_any_moment(self) -> None:
        """Whenever the power goes, nothing acknowledged is lost."""
        calls = 0
        for steps in range(5, _STEPS, 29):
            disk, workload = self.worked(steps, sync_flush=True, **OFTEN)
            assert workload is not None
            self.check(disk.power_off(self.mktemp()), workload.stored)
            calls += disk.calls["sync_file_system"]
        self.assertGreater(calls, 0)

    def test_after_a_stop(self) -> None:
        """A store that was closed is complete, and nothing of it is read again."""
        disk, workload = self.worked(60, **OFTEN)
        assert workload is not None
        closed = workload.store.close()
        workload.finish()
        self.successResultOf(closed)
        self.assertGreater(disk.calls["sync_file_system"], 0)
        self.check(disk.power_off(self.mktemp()), workload.stored)

    def test_failure(self) -> None:
        """The disk counts as broken, as after any failed fsync."""
        disk, workload = self.worked(20, **OFTEN)
        assert workload is not None
        disk.fail_next("sync_file_system")
        workload.run(200)
        self.assertIn("the disk failed", workload.store.failure or "")
        self.flushLoggedErrors(OSError)


class SyncTests(PowerLossCase):
    """SYNC_FLUSH: what was acknowledged is there."""

    def test_any_moment(self) -> None:
        """Whenever the power goes, nothing acknowledged is lost."""
        acknowledged = 0
        for steps in range(1, _STEPS, 7):
            disk, workload = self.worked(steps, sync_flush=True)
            assert workload is not None
            self.check(disk.power_off(self.mktemp()), workload.stored)
            acknowledged += sum(each.acknowledged for each in workload.stored)
        self.assertGreater(acknowledged, 1000)

    def test_some_of_it_was_written(self) -> None:
        """The same where the kernel had written a part, in any order."""
        for seed in range(40):
            disk, workload = self.worked(20 + seed, sync_flush=True)
            assert workload is not None
            left = disk.power_off(self.mktemp(), random.Random(seed))
            self.check(left, workload.stored)

    def test_failing_fsync(self) -> None:
        """When the n-th fsync failed nothing is acknowledged; what was is kept."""
        for nth in range(1, 201):
            disk, workload = self.worked(240, nth, sync_flush=True)
            self.assertTrue(disk.failed, f"there were {disk.calls['sync']} calls")
            if workload is None:
                continue
            self.assertEqual(workload.late, 0)
            self.assertIsNotNone(workload.store.failure)
            refused = workload.refused[-1:] or [str(workload.store.failure)]
            self.assertIn("Input/output error", refused[0])
            self.assertLessEqual(len(self.flushLoggedErrors(OSError)), 1)
            self.check(disk.power_off(self.mktemp()), workload.stored)

    def test_again_and_again(self) -> None:
        """Offsets go on where the last life ended, without a gap or a repeat."""
        root = self.mktemp()
        os.makedirs(root)
        kept = []
        for life in range(12):
            disk, thread = ForgetfulDisk(root), ManualThreads()
            disk.many = self.many
            store, clock = self.open_on(root, disk, thread, sync_flush=True)
            workload = Workload(store, clock, thread, disk)
            workload.run(10 + life)
            left = disk.power_off(self.mktemp(), random.Random(life))
            stored = kept + workload.stored
            kept = stored[: self.check(left, stored)]
            root = left
            self._close(workload)
        self.assertGreater(len(kept), 100)

    def test_closed_in_good_order(self) -> None:
        """A store that was closed is whole, be the power cut right after."""
        disk, workload = self.worked(40, sync_flush=True)
        assert workload is not None
        closed = workload.store.close()
        workload.finish()
        self.successResultOf(closed)
        left = disk.power_off(self.mktemp())
        self.assertEqual(self.check(left, workload.stored), len(workload.stored))


class AsyncTests(PowerLossCase):
    """ASYNC_FLUSH: a tail may be lost, and nothing but a tail."""

    def check_tail(self, root: str, workload: Workload) -> int:
        """See that what is left is the first of what was stored."""
        for each in workload.stored:
            each.acknowledged = False
        return self.check(root, workload.stored)

    def test_any_moment(self) -> None:
        """Nothing but what was stored last is lost."""
        kept = 0
        for steps in range(1, _STEPS, 7):
            disk, workload = self.worked(steps)
            assert workload is not None
            kept += self.check_tail(disk.power_off(self.mktemp()), workload)
        self.assertGreater(kept, 1000)

    def test_some_of_it_was_written(self) -> None:
        """Nor is there a hole where the kernel wrote later parts first."""
        for seed in range(40):
            disk, workload = self.worked(20 + seed)
            assert workload is not None
            left = disk.power_off(self.mktemp(), random.Random(seed))
            self.check_tail(left, workload)

    def test_failing_fsync(self) -> None:
        """A disk that fails in the background stops the store, for good."""
        for nth in range(3, 40):
            disk, workload = self.worked(_STEPS, nth)
            if workload is None or not disk.failed:
                continue
            self.assertRaises(StoreError, workload._send)
            self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
            self.check_tail(disk.power_off(self.mktemp()), workload)
