"""A disk that fails here and there: nothing taken is lost, and service returns."""

from __future__ import annotations

import errno
import os

from rocketmq_tw.store.errors import DiskFull, StoreNotWriteable, StoreUnreadable
from rocketmq_tw.testing import ManualThreads
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft
from tests.store.disks import FaultyDisk
from tests.store.workload import Workload, WorkloadCase


class NthCallTests(WorkloadCase):
    """One call of a kind fails, each in turn, under a mixed work."""

    def broken(self, name: str, code: int, first: int, last: int) -> int:
        """
        Work while the n-th call fails, stop, and see that all taken is there.

        :returns: in how many of the runs the call was made.
        """
        met = 0
        for nth in range(first, last):
            root = self.mktemp()
            os.makedirs(root)
            disk, thread = FaultyDisk(), ManualThreads()
            disk.fail(name, nth, code)
            try:
                store, clock = self.open_on(root, disk, thread)
            except StoreUnreadable:
                continue
            workload = Workload(store, clock, thread, disk)
            workload.run(60)
            closed = store.close()
            workload.finish()
            closed.addErrback(lambda f: f.trap(OSError) and None)
            self.successResultOf(closed)
            self.flushLoggedErrors(OSError)
            for each in workload.stored:
                each.acknowledged = True
            self.assertEqual(self.check(root, workload.stored), len(workload.stored))
            met += disk.calls[name] >= nth
        return met

    def test_no_space_to_allocate(self) -> None:
        """At every border of a window."""
        self.assertGreater(self.broken("allocate", errno.ENOSPC, 1, 14), 9)

    def test_no_space_for_a_file(self) -> None:
        """When a file is made, and when the checkpoint is."""
        self.assertGreater(self.broken("set_size", errno.ENOSPC, 1, 20), 15)

    def test_short_writes(self) -> None:
        """The rest is written too."""
        self.assertGreater(self.broken("pwrite", 0, 1, 30), 20)

    def test_failing_writes(self) -> None:
        """Of tails, of blanks, of the checkpoint; half of it may have been written."""
        for code in (errno.EIO, errno.ENOSPC):
            self.assertGreater(self.broken("pwrite", code, 1, 30), 20)

    def test_no_memory_to_map(self) -> None:
        """The message is refused, the next one is not."""
        self.assertGreater(self.broken("map", errno.ENOMEM, 1, 14), 9)

    def test_failing_opens(self) -> None:
        """Whatever was to be opened."""
        self.assertGreater(self.broken("open", errno.EMFILE, 1, 40), 30)


class RefusedTests(StoreCase):
    """What the sender is notified, and that it is over when it is."""

    def setUp(self) -> None:
        """Open a store on a disk that can fail."""
        super().setUp()
        self.disk = FaultyDisk()
        self.store = self.open(disk=self.disk)

    def test_full_disk(self) -> None:
        """The file is named; nothing was written; when there is room it goes on."""
        self.disk.fail_next("allocate", errno.ENOSPC)
        error = self.assertRaises(DiskFull, self.store.put, draft(), NOW)
        self.assertEqual(error.path, self.path("commitlog", f"{0:020d}"))
        self.assertEqual(self.store.put(draft(), NOW).queue_offset, 0)

    def test_blank_not_written(self) -> None:
        """The log stays where it was: the next message finds the next file."""
        for _ in range(8):
            self.store.put(draft(), NOW)
        for code in (errno.EIO, errno.ENOSPC):
            self.disk.fail_next("pwrite", code)
            self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
            self.assertEqual(self.store.commit_log_max, 8 * SIZE)
            self.assertEqual(os.listdir(self.path("commitlog")), [f"{0:020d}"])
        stored = self.store.put(draft(b"after"), NOW)
        self.assertEqual((stored.commit_log_offset, stored.queue_offset), (1000, 8))
        store = self.reopen(self.store)
        self.assertEqual(store.max_offset(TOPIC, 0), 9)

    def test_failed_checkpoint(self) -> None:
        """Sends wait until it can be written again."""
        self.store.put(draft(), NOW)
        self.clock.pump([0.5, 0.5])  # The first file of the index is there.
        self.store.put(draft(), NOW)
        self.disk.fail_next("set_size")
        self.clock.pump([0.5, 0.5])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertIsNotNone(self.store.failure)
        self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
        self.clock.advance(1)
        self.assertEqual(self.store.put(draft(), NOW).queue_offset, 2)
