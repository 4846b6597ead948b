"""Tests of assembling a store: which parts there are, and what connects them."""

import os
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.store.admission import Admission, StoreState
from rocketmq_tw.store.assemble import StoreParts, StoreThreads
from rocketmq_tw.store.files.lock import StoreLock
from rocketmq_tw.testing import ManualThreads
from tests.store.cases import NOW, SIZE, StoreCase, draft
from tests.store.disks import FaultyDisk


class StorePartsTests(StoreCase):
    """The parts of a store, made and not opened."""

    def setUp(self) -> None:
        """Have a disk, threads and an admission in hand."""
        super().setUp()
        self.disk = FaultyDisk()
        self.threads = StoreThreads(flush=ManualThreads(), read=ManualThreads())
        self.refusals: list[str | None] = []
        self.admission = Admission(self.refusals.append)
        self.admission.set_state(StoreState.OPEN)

    def make(self, lock: StoreLock | None = None, **settings: Any) -> StoreParts:
        """Make the parts."""
        parts = StoreParts(
            self.root,
            self.clock,
            msgspec.structs.replace(self.config, **settings),
            threads=self.threads,
            disk=self.disk,
            lock=lock,
            admission=self.admission,
        )
        self.addCleanup(parts.files.close)
        self.addCleanup(parts.log.close)
        return parts

    def test_nothing_is_touched(self) -> None:
        """Neither files nor threads, before it is opened."""
        self.make()
        self.assertEqual(os.listdir(self.root), [])
        self.assertEqual(self.disk.calls, {})

    def test_lock(self) -> None:
        """The one that was acquired already, or that of the folder."""
        lock = StoreLock(self.path("lock"))
        self.assertIs(self.make(lock).lock, lock)
        made = self.make().lock
        made.acquire()
        self.addCleanup(made.release)
        self.assertEqual(os.listdir(self.root), ["lock"])

    def test_dispatch_is_deferred_only_with_sync_flush(self) -> None:
        """Without it messages are dispatched as they are stored."""
        self.assertIsNone(self.make().deferred)
        self.assertIsNotNone(self.make(sync_flush=True).deferred)

    def test_disk_that_fails_ends_admission(self) -> None:
        """A failed flush of the log reaches those who send."""
        parts = self.make()
        parts.log.append(draft(), 0, int(NOW * 1000))
        self.disk.fail_next("sync")
        flushed: Deferred[None] = parts.flush.flush()
        assert isinstance(self.threads.flush, ManualThreads)
        self.threads.flush.run()
        self.failureResultOf(flushed)
        self.assertIn("Input/output error", self.refusals[-1] or "")
        self.flushLoggedErrors(OSError)

    def test_index_reads_what_may_be_read(self) -> None:
        """With SYNC_FLUSH it sees nothing that is not on disk."""
        for sync_flush, lag in ((False, SIZE), (True, 0)):
            parts = self.make(sync_flush=sync_flush)
            parts.log.append(draft(), 0, int(NOW * 1000))
            self.assertEqual(parts.index._builder.lag, lag)
