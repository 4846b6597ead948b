"""A commit log that is the copy of another one."""

from __future__ import annotations

import errno
import os

from rocketmq_tw.store.errors import (
    DamagedTransfer,
    DiskFull,
    NotContinuous,
    StoreNotWriteable,
)
from rocketmq_tw.store.log.received import LARGEST
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record_layout import MAGICS
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft
from tests.store.disks import FaultyDisk


class ReplicaCase(StoreCase):
    """The log of a master, and a store that copies it."""

    def setUp(self) -> None:
        """Fill two files of a master."""
        super().setUp()
        self.master = self.open()
        for number in range(12):
            self.master.put(draft(b"Hello %2d" % number), NOW)
        files = [self.bytes_of("commitlog", f"{at:020d}") for at in (0, 1000)]
        self.log = b"".join(files)[: self.master.commit_log_max]

    def slave(self, root: str | None = None, **options: object) -> MessageStore:
        """Open a store that is a replica."""
        root = root or self.mktemp()
        os.makedirs(root, exist_ok=True)
        return self.open(root, is_replica=True, **options)


class AppendTests(ReplicaCase):
    """Whole records are written, and dispatched."""

    def test_in_pieces(self) -> None:
        """Of any size; the log ends behind a record at any time."""
        for size in (1, 3, 64, 115, 1000, 5000):
            store = self.slave()
            for at in range(0, len(self.log), size):
                store.replica.append(at, self.log[at : at + size])
                self.assertEqual(self.log_of(store), self.log[: store.commit_log_max])
            self.assertEqual(store.commit_log_max, self.master.commit_log_max)
            self.assertEqual(store.max_offset(TOPIC, 0), 12)
            (queue,) = store.counted_queues(TOPIC)
            self.assertEqual((queue.messages, queue.size), (0, 0))
            self.successResultOf(store.close())

    def test_reopened(self) -> None:
        """A part of a record is gone; the rest is as it was."""
        root = self.mktemp()
        store = self.slave(root)
        store.replica.append(0, self.log[: 3 * SIZE])
        self.successResultOf(store.close())
        store = self.slave(root)
        end = store.replica.end
        self.assertEqual(end, store.replica.next)
        store.replica.append(end, self.log[end:])
        self.assertEqual(self.log_of(store), self.log)
        self.assertEqual(store.max_offset(TOPIC, 0), 12)

    def test_begins_later(self) -> None:
        """With the second file of the master."""
        store = self.slave()
        store.replica.begin_at(1000)
        store.replica.append(1000, self.log[1000:])
        self.assertEqual((store.commit_log_min, store.min_offset(TOPIC, 0)), (1000, 8))
        self.assertEqual(store.max_offset(TOPIC, 0), 12)

    def test_drop_part(self) -> None:
        """What was incomplete may come again."""
        store = self.slave()
        store.replica.append(0, self.log[:200])
        self.assertEqual(store.replica.next, 200)
        store.replica.drop_part()
        end = store.replica.end
        self.assertEqual(store.replica.next, end)
        store.replica.append(end, self.log[end:])
        self.assertEqual(self.log_of(store), self.log)

    def test_a_listener_fails(self) -> None:
        """The records are stored all the same."""
        store = self.slave()

        def fail(*arrival: object) -> None:
            raise ValueError

        store.add_listener(fail)
        store.replica.append(0, self.log)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 12)
        self.assertEqual(store.max_offset(TOPIC, 0), 12)

    def test_nothing_else_is_stored(self) -> None:
        """A slave stores what its master sends."""
        store = self.slave()
        with self.assertRaises(StoreNotWriteable) as caught:
            store.put(draft(), NOW)
        self.assertIn("copies its master's messages", str(caught.exception))
        self.assertEqual(store.runs and store.runs.capacity, 0)


class RefusedTests(ReplicaCase):
    """What is not the continuation of the log."""

    def test_other_position(self) -> None:
        """Before or behind the end: nothing changes."""
        store = self.slave()
        store.replica.append(0, self.log[:300])
        for position in (0, 299, 301, 1 << 40):
            with self.assertRaises(NotContinuous):
                store.replica.append(position, self.log)
        store.replica.append(300, self.log[300:])
        self.assertEqual(self.log_of(store), self.log)

    def test_every_byte_changed(self) -> None:
        """A record is whole or refused; what stands before it is kept."""
        store = self.slave()
        first = self.master.record_at(0)
        second = bytearray(self.log[len(first or b"") :][: len(first or b"")])
        assert isinstance(first, bytes)
        store.replica.append(0, first)
        refused = 0
        for at in (*range(12), *range(28, 36), *range(84, 97)):
            changed = bytearray(second)
            changed[at] ^= 0x55
            try:
                store.replica.append(len(first), changed)
            except DamagedTransfer:
                refused += 1
            store.replica.drop_part()
            self.assertEqual(store.replica.end, len(first), at)
        self.assertGreater(refused, 30)
        self.assertEqual(self.log_of(store), first)

    def test_huge_record(self) -> None:
        """Nothing waits for more than a record can have."""
        store = self.slave()
        head = (LARGEST + 1).to_bytes(4, "big") + MAGICS[0]
        with self.assertRaises(DamagedTransfer):
            store.replica.append(0, head)
        self.assertEqual(store.replica.next, 0)

    def test_files_of_another_size(self) -> None:
        """The filler at the end of a file shows it."""
        store = self.slave(commit_log_file_size=1100)
        with self.assertRaises(DamagedTransfer) as caught:
            store.replica.append(0, self.log)
        self.assertIn("its file ends after", str(caught.exception))
        with self.assertRaises(DamagedTransfer):
            self.slave().replica.begin_at(500)

    def test_full_disk(self) -> None:
        """Nothing of it counts; it may come again."""
        disk = FaultyDisk()
        root = self.mktemp()
        os.makedirs(root)
        store = self.open(root, disk, is_replica=True)
        disk.fail_next("pwrite", errno.ENOSPC)
        with self.assertRaises(DiskFull):
            store.replica.append(0, self.log)
        self.assertEqual(store.commit_log_max, 0)


class SyncFlushTests(ReplicaCase):
    """With SYNC_FLUSH nothing is dispatched before it is on disk."""

    def test_after_the_fsync(self) -> None:
        """Then it is readable, and may be acknowledged."""
        threads = ManualThreads(held=False)
        store = self.slave(run_in_thread=threads, sync_flush=True)
        threads.hold()
        store.replica.append(0, self.log)
        self.assertEqual(store.replica.undispatched, 12)
        self.assertEqual((store.max_offset(TOPIC, 0), store.replica.safe_end), (0, 0))
        self.clock.advance(0.1)
        threads.release()
        self.clock.advance(0)
        self.assertEqual(store.max_offset(TOPIC, 0), 12)
        self.assertEqual(store.replica.safe_end, len(self.log))
