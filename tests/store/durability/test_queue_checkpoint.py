"""Tests of the queue checkpoint: what of it is believed, and after what."""

import msgspec

from rocketmq_tw.store.durability.queue_checkpoint import (
    KnownQueue,
    LogPosition,
    QueueCheckpoint,
)
from rocketmq_tw.store.files.disk import Disk
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

WRITTEN, FLUSHED = LogPosition(500, 400), LogPosition(300, 200)
QUEUES = [KnownQueue(b"T", 0, 0, 5, 500)]


class Machine(Disk):
    """A disk of a machine that can be started again."""

    def __init__(self, boot_id: bytes) -> None:
        self._boot_id = boot_id

    def boot_id(self) -> bytes:
        """Return what the test says."""
        return self._boot_id


FIRST, SECOND, UNKNOWN = Machine(b"1" * 16), Machine(b"2" * 16), Machine(bytes(16))


class QueueCheckpointTests(StoreCase):
    """The file by itself."""

    def checkpoint(self, disk: Disk = FIRST, log_size: int = 1000) -> QueueCheckpoint:
        """Describe the file of the test."""
        return QueueCheckpoint(
            self.path("checkpoint"),
            log_file_size=log_size,
            queue_file_size=80,
            disk=disk,
        )

    def write(self, disk: Disk = FIRST) -> QueueCheckpoint:
        """Write it, with one queue."""
        checkpoint = self.checkpoint(disk)
        checkpoint.written, checkpoint.flushed = WRITTEN, FLUSHED
        self.assertEqual(len(list(checkpoint.write_all(QUEUES))), 0)
        return checkpoint

    def loaded(self, disk: Disk = FIRST, log_size: int = 1000) -> QueueCheckpoint:
        """Read it."""
        checkpoint = self.checkpoint(disk, log_size)
        checkpoint.load()
        return checkpoint

    def test_writes_many_queues_in_slices(self) -> None:
        """A step encodes 2,000 of them; the files are replaced at the end."""
        queues = [KnownQueue(b"T", number, 0, 5, 500) for number in range(70_000)]
        before = self.write()
        steps = before.write_all(queues)
        for _ in range(34):
            next(steps)
        self.assertEqual(self.loaded().queues, QUEUES)
        self.assertRaises(StopIteration, next, steps)
        self.assertEqual(self.loaded().queues, queues)

    def test_reads_what_it_wrote(self) -> None:
        """Positions and queues; the positions may be written by themselves."""
        checkpoint = self.write()
        found = self.loaded()
        self.assertTrue(found.is_known)
        self.assertEqual((found.written, found.flushed), (WRITTEN, FLUSHED))
        self.assertEqual(found.queues, QUEUES)
        checkpoint.written = LogPosition(700, 600)
        checkpoint.write()
        found = self.loaded()
        self.assertEqual(found.written, LogPosition(700, 600))
        self.assertEqual(found.queues, QUEUES)

    def test_another_boot_believes_the_disk_only(self) -> None:
        """What only the page cache had may be gone; an unknown boot is another."""
        for wrote, reads, expected in (
            (FIRST, FIRST, WRITTEN),
            (FIRST, SECOND, FLUSHED),
            (UNKNOWN, UNKNOWN, FLUSHED),
        ):
            self.write(wrote)
            found = self.loaded(reads)
            self.assertEqual(found.written, expected)
            self.assertEqual(found.is_same_boot, expected == WRITTEN)

    def test_a_damaged_copy_is_passed_over(self) -> None:
        """The other one counts; without a whole one nothing is known."""
        first, second = self.write().paths
        for path, is_known in ((first, True), (second, False)):
            with open(path, "r+b") as file:
                file.seek(30)
                file.write(b"\xff")
            self.assertEqual(self.loaded().is_known, is_known)

    def test_other_file_sizes(self) -> None:
        """A checkpoint of other sizes is none."""
        self.write()
        self.assertFalse(self.loaded(log_size=2000).is_known)

    def test_none(self) -> None:
        """A store of Apache RocketMQ has none."""
        found = self.loaded()
        self.assertFalse(found.is_known)
        self.assertEqual(found.written, LogPosition())


class RebootTests(StoreCase):
    """A power cut, of which the page cache saved a part."""

    def test_the_page_cache_is_not_trusted(self) -> None:
        """A record is missing before the end: there the log ends, after a reboot."""
        store = self.open(disk=FIRST, flush_commit_log_interval=1000.0)
        for number in range(6):
            store.put(draft(b"%05d" % number), NOW)
        self.clock.advance(1.0)
        copies = [self.kill(), self.kill()]
        for copy, disk, end in (
            (copies[0], FIRST, 6 * SIZE),
            (copies[1], SECOND, 2 * SIZE),
        ):
            with open(f"{copy}/commitlog/{0:020d}", "r+b") as log:
                log.seek(2 * SIZE)
                log.write(bytes(SIZE))
            opened = self.open(copy, disk)
            self.assertEqual(opened.commit_log_max, end)
            self.assertEqual(opened.max_offset(TOPIC, 0), end // SIZE)


class SyncFlushTests(StoreCase):
    """What the checkpoints say while the log waits for its fsync."""

    config = msgspec.structs.replace(StoreCase.config, sync_flush=True)

    def test_the_queues_are_no_further_than_the_log(self) -> None:
        """A message that is not on disk yet moves neither time."""
        store = self.open()
        store.put(draft(), NOW)
        self.clock.advance(0)
        store.put(draft(), NOW + 5)
        self.successResultOf(store._flush.flush_queues())
        times = [int.from_bytes(self.bytes_of("checkpoint")[i : i + 8]) for i in (0, 8)]
        self.assertEqual(times, [int(NOW * 1000)] * 2)
        self.clock.advance(0)
        self.successResultOf(store._flush.flush_queues())
        times = [int.from_bytes(self.bytes_of("checkpoint")[i : i + 8]) for i in (0, 8)]
        self.assertEqual(times, [int(NOW * 1000) + 5000] * 2)

    def test_the_confirmed_offset(self) -> None:
        """The newest record that is on disk, for recovery after a clean stop."""
        store = self.open()
        for _ in range(3):
            store.put(draft(), NOW)
        self.clock.advance(0)
        store.put(draft(), NOW)
        self.successResultOf(store._flush.write_queues())
        confirmed = int.from_bytes(self.bytes_of("checkpoint")[32:40])
        self.assertEqual(confirmed, 2 * SIZE)

    def test_a_record_that_waits_is_read_again(self) -> None:
        """It has no entry yet: after a kill it is dispatched from the log."""
        store = self.open()
        store.put(draft(), NOW)
        self.clock.advance(0)
        store.put(draft(), NOW)
        self.successResultOf(store._flush.write_queues())
        killed = self.open(self.kill())
        self.assertEqual(killed.commit_log_max, 2 * SIZE)
        self.assertEqual(killed.max_offset(TOPIC, 0), 2)
