"""Group commit: who waits for the disk, how long, and who is notified if it fails."""

from __future__ import annotations

import errno
import os
import shutil
import struct

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.store.interfaces import Appended, FlushOutcome
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchStatus
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.threads import run_here
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft
from tests.store.disks import FaultyDisk

NOW_MS = int(NOW * 1000)
SAFE = FlushOutcome.ON_DISK


class SyncCase(StoreCase):
    """Has a store that flushes first, and its thread in hand."""

    config = StoreConfig(
        commit_log_file_size=1000,
        consume_queue_file_size=80,
        window_size=4096,
        max_hash_slot_num=50,
        max_index_num=100,
    )

    def setUp(self) -> None:
        """Open it."""
        super().setUp()
        self.thread = ManualThreads()
        self.disk = FaultyDisk()
        self.store = self.opened()

    def opened(self) -> MessageStore:
        """Open a store; closing it at the end works its thread."""
        store = MessageStore(
            self.root,
            self.clock,
            msgspec.structs.replace(self.config, sync_flush=True),
            run_in_thread=self.thread,
            run_read_in_thread=run_here,
            disk=self.disk,
        )
        self.finish(store.open())
        self.addCleanup(self.closed, store)
        return store

    def closed(self, store: MessageStore) -> None:
        """Close a store, and work for it."""
        done = store.close()
        self.thread.run()
        self.successResultOf(done)

    def sent(self, body: bytes = b"Hello") -> Deferred[FlushOutcome]:
        """Store a message and wait for the disk."""
        stored = self.store.put(draft(body), NOW)
        return self.waits(stored)

    def waits(self, stored: Appended) -> Deferred[FlushOutcome]:
        """Wait for the disk."""
        waiting = self.store.when_flushed(stored.commit_log_offset + stored.size)
        assert waiting is not None
        return waiting


class HangingFsyncTests(SyncCase):
    """An fsync that does not end, and a store that lets five messages wait."""

    config = StoreConfig(
        commit_log_file_size=1000,
        consume_queue_file_size=80,
        window_size=4096,
        max_unflushed_messages=5,
        max_hash_slot_num=50,
        max_index_num=100,
    )

    def test_no_more_are_taken(self) -> None:
        """What could not be kept is refused; when the fsync ends, all goes on."""
        waiting = [self.sent() for _ in range(5)]
        for _ in range(3):
            error = self.assertRaises(StoreNotWriteable, self.sent)
            self.assertIn("maxUnflushedMessages (5) is reached", str(error))
        self.assertRaises(StoreNotWriteable, self.store.put_batch, [draft()], NOW)
        gauges = {name: gauge() for name, gauge in self.store.gauges().items()}
        self.assertEqual(gauges["unflushedMessages"], 5)
        self.assertEqual(gauges["unflushedSize"], 5 * SIZE)
        self.assertEqual(gauges["unflushedRefused"], 4)
        self.clock.advance(0)
        self.thread.run()
        for each in waiting:
            self.assertEqual(self.successResultOf(each), SAFE)
        self.assertIsNone(self.store.failure)
        self.sent()


class GroupCommitTests(SyncCase):
    """One fsync for all who wait."""

    def test_one_turn_is_one_group(self) -> None:
        """What is stored in one turn of the reactor is forced at its end, together."""
        waiting = [self.sent() for _ in range(5)]
        self.assertEqual(len(self.thread.work), 0)
        self.clock.advance(0)
        self.assertEqual(len(self.thread.work), 1)
        for each in waiting:
            self.assertNoResult(each)
        self.thread.run_one()
        for each in waiting:
            self.assertEqual(self.successResultOf(each), SAFE)
        self.assertEqual(self.store.flushed, 5 * SIZE)

    def test_the_next_group_gathers(self) -> None:
        """While one flush runs no other begins; then all that came go together."""
        first = self.sent()
        self.clock.advance(0)
        second, third = self.sent(), self.sent()
        self.clock.advance(0)
        self.assertEqual(len(self.thread.work), 1)
        self.thread.run_one()
        self.successResultOf(first)
        self.assertNoResult(second)
        self.clock.advance(0)
        calls = self.disk.calls["sync"]
        self.thread.run_one()
        self.assertEqual(self.disk.calls["sync"], calls + 1)
        self.successResultOf(second)
        self.successResultOf(third)
        self.clock.advance(0)
        self.assertEqual(len(self.thread.work), 0)

    def test_nothing_to_wait_for(self) -> None:
        """What is on disk is not waited for; ASYNC_FLUSH waits for nothing."""
        self.successResultOf(self.flushed(self.sent()))
        self.assertIsNone(self.store.when_flushed(SIZE))
        other = self.mktemp()
        os.makedirs(other)
        store = self.open(other)
        stored = store.put(draft(), NOW)
        self.assertIsNone(store.when_flushed(stored.commit_log_offset + stored.size))

    def test_readable_when_on_disk(self) -> None:
        """No consumer sees a message that a power cut would take back."""
        heard: list[tuple[int, int]] = []
        self.store.add_listener(lambda *arrival: heard.append(arrival[1:3]))
        batch = self.store.put_batch([draft(), draft()], NOW)
        waiting = self.sent()
        self.assertEqual([each.queue_offset for each in batch], [0, 1])
        self.assertEqual((self.store.max_offset(TOPIC, 0), heard), (0, []))
        fetched = self.store.get(TOPIC, 0, 0, 32, 1 << 20, None)
        self.assertEqual(fetched.status, FetchStatus.NO_MESSAGE_IN_QUEUE)
        self.successResultOf(self.flushed(waiting))
        self.assertEqual(self.store.max_offset(TOPIC, 0), 3)
        self.assertEqual(heard, [(0, 1), (0, 2), (0, 3)])

    def test_nobody_needs_to_wait(self) -> None:
        """Messages are forced at once all the same, half messages too."""
        self.store.put(draft(), NOW)
        self.store.put(draft(sys_flag=4), NOW)
        self.clock.advance(0)
        self.thread.run_one()
        self.assertEqual(self.store.flushed, 2 * SIZE)

    def test_deleted_meanwhile(self) -> None:
        """A message of a topic that is deleted does not bring its queues back."""
        waiting = self.sent()
        self.store.delete_topic(TOPIC)
        self.successResultOf(self.flushed(waiting))
        self.assertEqual(self.store.queues(), {})
        self.clock.pump([1.0])
        self.assertFalse(os.path.exists(self.path("consumequeue", TOPIC)))

    def test_too_slow(self) -> None:
        """After five seconds the sender is notified; the message is safe later."""
        waiting = self.sent()
        self.clock.advance(0)
        self.clock.advance(4.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(waiting), FlushOutcome.TIMED_OUT)
        self.assertEqual(self.store.flushed, 0)
        self.thread.run()
        self.assertEqual(self.store.max_offset(TOPIC, 0), 1)

    def test_closing(self) -> None:
        """Who waits gets its response before the store is closed."""
        waiting = self.sent()
        closed = self.store.close()
        self.assertNoResult(waiting)
        self.thread.run()
        self.successResultOf(closed)
        self.assertEqual(self.successResultOf(waiting), SAFE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def flushed(self, waiting: Deferred[FlushOutcome]) -> Deferred[FlushOutcome]:
        """Let the group be forced to disk."""
        self.clock.advance(0)
        self.thread.run()
        return waiting


class FailedTests(SyncCase):
    """A disk that does not keep what it was given."""

    def test_all_waiters_are_notified(self) -> None:
        """Those of the failed group, and those who gathered meanwhile."""
        first = self.sent()
        self.clock.advance(0)
        second = self.sent()
        self.disk.fail_next("sync")
        self.thread.run_one()
        for waiting in (first, second):
            error = self.failureResultOf(waiting, StoreNotWriteable).value
            self.assertIn("Input/output error", str(error))
        self.assertEqual(self.store.max_offset(TOPIC, 0), 0)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_for_good(self) -> None:
        """Nothing is flushed again or accepted, and it is logged once."""
        self.sent().addErrback(lambda _: None)
        self.disk.fail_next("sync")
        self.clock.advance(0)
        self.thread.run_one()
        calls = self.disk.calls["sync"]
        self.clock.pump([0.5] * 200)
        self.thread.run()
        self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
        self.assertRaises(StoreNotWriteable, self.store.put_batch, [draft()], NOW)
        self.assertRaises(StoreNotWriteable, self.store.when_flushed, SIZE)
        self.assertIsNotNone(self.store.failure)
        self.assertIn("read-only", str(self.store.failure))
        self.closed(self.store)
        self.assertEqual(self.disk.calls["sync"], calls)
        self.assertTrue(os.path.exists(self.path("abort")))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_too_many_open_files(self) -> None:
        """That is not the disk's fault: nothing is lost, and it is tried again."""
        waiting = self.sent()
        self.disk.fail_next("open", errno.EMFILE)
        self.clock.advance(0)
        self.thread.run_one()
        self.assertNoResult(waiting)
        self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
        for _ in range(3):
            self.clock.advance(0.5)
            self.thread.run()
        self.assertEqual(self.successResultOf(waiting), SAFE)
        self.assertIsNone(self.store.failure)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_too_many_open_files_for_the_queues(self) -> None:
        """What could not be opened is forced with the next."""
        self.sent()
        self.clock.advance(0)
        self.thread.run()
        queue = self.store._queues.table[TOPIC.encode(), 0]
        forced: list[str] = []
        self.disk.fsync = forced.extend  # type: ignore[method-assign]
        self.store._queues.flush()
        refused = OSError(errno.EMFILE, "too many")
        self.disk.fsync = lambda _: _raise(refused)  # type: ignore[method-assign]
        failed = self.store._flush.flush_queues()
        self.thread.run()
        self.failureResultOf(failed, OSError)
        self.disk.fsync = forced.extend  # type: ignore[method-assign]
        self.store._flush.flush_queues()
        self.thread.run()
        self.assertIn(queue.files.path(0), forced)
        self.assertIsNone(self.store.failure)

    def test_reopened(self) -> None:
        """The next start recovers what the disk has, and takes messages again."""
        self.sent().addErrback(lambda _: None)
        self.disk.fail_next("sync")
        self.clock.advance(0)
        self.thread.run_one()
        self.closed(self.store)
        self.store = self.opened()
        waiting = self.sent()
        self.clock.advance(0)
        self.thread.run()
        self.assertEqual(self.successResultOf(waiting), SAFE)
        self.flushLoggedErrors(OSError)


class LostFileTests(SyncCase):
    """Files of the log that disappear under the store."""

    def refused(self, waiting: Deferred[FlushOutcome]) -> None:
        """Expect that the store reports the loss and takes no more messages."""
        self.clock.advance(0)
        self.thread.run()
        error = self.failureResultOf(waiting, StoreNotWriteable).value
        self.assertIn("removed or replaced", str(error))
        self.assertIn(f"{0:020d}", str(error))
        self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
        self.assertEqual((self.store.flushed, self.store.max_offset(TOPIC, 0)), (0, 0))
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def test_removed(self) -> None:
        """A message in a file that is gone is not acknowledged."""
        waiting = self.sent()
        os.remove(self.path("commitlog", f"{0:020d}"))
        self.refused(waiting)

    def test_removed_after_the_roll(self) -> None:
        """Nor if it is not the active file any more."""
        waiting = [self.sent() for _ in range(9)]
        os.remove(self.path("commitlog", f"{0:020d}"))
        self.refused(waiting[0])
        for each in waiting[1:]:
            self.failureResultOf(each, StoreNotWriteable)

    def test_replaced(self) -> None:
        """Nor if there is another file of the same name, of the same bytes."""
        waiting = self.sent()
        path = self.path("commitlog", f"{0:020d}")
        shutil.copyfile(path, f"{path}.copy")
        os.rename(f"{path}.copy", path)
        self.refused(waiting)

    def test_directory_removed(self) -> None:
        """Nor if the whole log is gone."""
        waiting = self.sent()
        shutil.rmtree(self.path("commitlog"))
        self.refused(waiting)

    def test_queue_removed(self) -> None:
        """A consume queue that is gone can be rebuilt: the store goes on."""
        for _ in range(2):
            waiting = self.sent()
            self.clock.advance(0)
            self.thread.run()
            self.assertEqual(self.successResultOf(waiting), SAFE)
            self.store._queues.flush()
            shutil.rmtree(self.path("consumequeue", TOPIC), ignore_errors=True)
            flushed = self.store._flush.flush_queues()
            self.thread.run()
            self.successResultOf(flushed)


class ForceTests(SyncCase):
    """Asking for the disk, whatever the store promises by itself."""

    def test_fires_when_on_disk(self) -> None:
        """All that was stored before is there then."""
        self.sent()
        forced = self.store.flush()
        self.assertNoResult(forced)
        self.thread.run()
        self.successResultOf(forced)
        self.assertEqual(self.store.flushed, SIZE)

    def test_fails_with_the_disk(self) -> None:
        """And goes on failing, once the disk did."""
        self.sent().addErrback(lambda _: None)
        self.disk.fail_next("sync")
        forced = self.store.flush()
        self.thread.run()
        self.failureResultOf(forced, OSError)
        self.failureResultOf(self.store.flush(), StoreNotWriteable)
        self.flushLoggedErrors(OSError)


class DetachedTests(StoreCase):
    """Files of the log that retention deletes."""

    def test_deleted_during_a_flush(self) -> None:
        """A file that is deleted for age while it is being flushed is not missed."""
        thread = ManualThreads(held=False)
        store = self.open(
            run_in_thread=thread, sync_flush=True, message_index_enable=False
        )
        for _ in range(8):
            store.put(draft(), NOW)
        self.clock.advance(0)
        thread.hold()
        store.put(draft(), NOW)
        self.clock.advance(0)
        os.remove(store._log.files.detach(0))
        thread.release()
        self.assertEqual(store.flushed, store.commit_log_max)
        self.assertIsNone(store.failure)


class LeastPagesTests(StoreCase):
    """ASYNC_FLUSH: when the log is worth a flush."""

    def test_some_pages(self) -> None:
        """Four pages of 4 KiB are forced at the next half second."""
        store = self.open(commit_log_file_size=1 << 20, flush_commit_log_least_pages=4)
        store.put(draft(bytes(9000)), NOW)
        self.clock.advance(0.5)
        self.assertEqual(store.flushed, 0)
        store.put(draft(bytes(9000)), NOW)
        self.clock.advance(0.5)
        self.assertEqual(store.flushed, store.commit_log_max)

    def test_ten_seconds(self) -> None:
        """Less is forced when ten seconds went by."""
        store = self.open(flush_commit_log_least_pages=4)
        store.put(draft(), NOW)
        self.clock.pump([0.5] * 19)
        self.assertEqual(store.flushed, 0)
        self.clock.advance(0.5)
        self.assertEqual(store.flushed, SIZE)


class CheckpointTests(SyncCase):
    """What the checkpoint says."""

    def test_only_what_is_on_disk(self) -> None:
        """Times of log and queues, and the place of the last message, all forced."""
        self.sent()
        self.clock.advance(0)
        self.thread.run()
        self.store.put(draft(), NOW + 5)
        self.clock.pump([1.0] * 61)
        with open(self.path("checkpoint"), "rb") as file:
            log_time, queue_time, _, _, confirmed = struct.unpack(">5q", file.read(40))
        self.assertEqual((log_time, confirmed), (NOW_MS, 0))
        self.assertLessEqual(queue_time, NOW_MS)


def _raise(error: OSError) -> None:
    """Raise it."""
    raise error
