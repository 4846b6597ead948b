"""Tests of the message store as a whole."""

import errno
import os
from pathlib import Path

import msgspec
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import (
    DiskFull,
    PropertiesTooLong,
    RecordTooLong,
    StoreLocked,
    StoreNotWriteable,
    StoreUnreadable,
    TopicTooLong,
)
from rocketmq_tw.store.files.lock import StoreLock
from rocketmq_tw.store.interfaces import Appended, IMessageStore
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchStatus
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode, decode_all
from tests.store.cases import NOW, SIZE, SMALL, TAG_A, TOPIC, StoreCase, draft
from tests.store.disks import FaultyDisk

NOW_MS = int(NOW * 1000)


class PutTests(StoreCase):
    """Storing messages."""

    def test_provides_the_interface(self) -> None:
        """A broker may rely on IMessageStore."""
        verifyObject(IMessageStore, self.open())

    def test_tells_where_a_message_lies(self) -> None:
        """Places, sizes and queue offsets follow each other."""
        store = self.open()
        self.assertEqual(store.put(draft(), NOW), Appended(0, SIZE, 0, NOW_MS))
        self.assertEqual(store.put(draft(), NOW), Appended(SIZE, SIZE, 1, NOW_MS))
        other = store.put(draft(queue_id=1), NOW)
        self.assertEqual((other.commit_log_offset, other.queue_offset), (2 * SIZE, 0))
        self.assertEqual(store.commit_log_max, 3 * SIZE)

    def test_a_message_is_readable_at_once(self) -> None:
        """By queue, and by its place."""
        store = self.open()
        appended = store.put(draft(b"first"), NOW)
        fetched = store.get(TOPIC, 0, 0, 32, 1 << 20, None)
        self.assertEqual([m.body for m in decode_all(fetched.data)], [b"first"])
        self.assertEqual(store.record_at(appended.commit_log_offset), fetched.data)
        self.assertEqual(store.queues(), {TOPIC: [0]})

    def test_listeners_hear_of_each_message(self) -> None:
        """They get the offset behind the message, and may read it already."""
        store = self.open()
        heard = []

        def listen(*arrival: object) -> None:
            heard.append((*arrival, store.max_offset(TOPIC, 0)))

        store.add_listener(listen)
        store.put(draft(), NOW)
        store.put_batch([draft(), draft()], NOW)
        topic = TOPIC.encode()
        self.assertEqual(
            heard,
            [
                (topic, 0, 1, TAG_A, NOW_MS, 1),
                (topic, 0, 2, TAG_A, NOW_MS, 2),
                (topic, 0, 3, TAG_A, NOW_MS, 3),
            ],
        )

    def test_open_transactions_are_in_the_log_only(self) -> None:
        """Prepared and rolled back messages take no queue offset."""
        store = self.open()
        for flag in (4, 12):
            appended = store.put(draft(sys_flag=flag), NOW)
            self.assertEqual(appended.queue_offset, 0)
            self.assertIsNotNone(store.record_at(appended.commit_log_offset))
        self.assertEqual(store.put(draft(sys_flag=8), NOW).queue_offset, 0)
        self.assertEqual(store.max_offset(TOPIC, 0), 1)

    def test_batches_stay_together(self) -> None:
        """All of a batch lies in one file, with rising queue offsets."""
        store = self.open()
        for _ in range(7):
            store.put(draft(), NOW)
        stored = store.put_batch([draft(b"%d" % n) for n in range(3)], NOW)
        self.assertEqual([a.queue_offset for a in stored], [7, 8, 9])
        self.assertEqual([a.commit_log_offset for a in stored], [1000, 1111, 1222])
        fetched = store.get(TOPIC, 0, 6, 32, 1 << 20, None)
        bodies = [m.body for m in decode_all(fetched.data)]
        self.assertEqual(bodies, [b"Hello", b"0", b"1", b"2"])
        self.assertEqual(store.put_batch([], NOW), [])

    def test_refuses_what_is_too_long(self) -> None:
        """Each part has its limit and its error, alone and in a batch."""
        store = self.open(max_message_size=100)
        for wrong, error in (
            (draft(bytes(101)), RecordTooLong),
            (draft(properties=bytes(32768)), PropertiesTooLong),
            (draft(topic=b"t" * 128), TopicTooLong),
            (draft(topic=b"%RETRY%" + b"t" * 249), TopicTooLong),
            (draft(topic=b"../x"), IllegalTopic),
        ):
            self.assertRaises(error, store.put, wrong, NOW)
            self.assertRaises(error, store.put_batch, [wrong], NOW)
        self.assertEqual((store.commit_log_max, store.queues()), (0, {}))
        store.put(draft(topic=b"%RETRY%" + b"t" * 248), NOW)

    def test_a_batch_goes_to_one_queue(self) -> None:
        """Our own mistake is reported."""
        store = self.open()
        batch = [draft(), draft(queue_id=1)]
        self.assertRaises(ValueError, store.put_batch, batch, NOW)

    def test_a_full_disk_is_reported_until_it_has_space(self) -> None:
        """Nothing is promised; when there is room messages are taken again."""
        store = self.open()

        def refuse(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        patch = self.patch(os, "posix_fallocate", refuse)
        self.assertRaises(DiskFull, store.put, draft(), NOW)
        self.assertEqual(store.max_offset(TOPIC, 0), 0)
        self.assertIn("full", store.failure or "")
        patch.restore()
        self.assertEqual(store.put(draft(), NOW).queue_offset, 0)
        self.assertIsNone(store.failure)

    def test_store_host_is_in_the_record(self) -> None:
        """The broker's address makes the offset id."""
        store = self.open(store_host=b"\x0a\1\2\3\0\0\x2a\x9f")
        store.put(draft(), NOW)
        record = store.record_at(0)
        assert record is not None
        self.assertEqual(decode(record).store_host, "10.1.2.3:10911")


class OpenTests(StoreCase):
    """Opening and closing."""

    def test_lays_out_the_directory(self) -> None:
        """All files stand where the original has them, in their full length."""
        store = self.open()
        store.put(draft(), NOW)
        self.assertTrue(os.path.exists(self.path("abort")))
        self.successResultOf(store.close())
        sizes = {
            os.path.relpath(os.path.join(folder, name), self.root): os.path.getsize(
                os.path.join(folder, name)
            )
            for folder, _, names in os.walk(self.root)
            for name in names
            if not name.startswith("consumequeue.checkpoint")
        }
        first = "0" * 20
        self.assertEqual(
            sizes,
            {
                f"commitlog/{first}": 1000,
                f"consumequeue/TopicTest/0/{first}": 80,
                "checkpoint": 4096,
                "index/20231114221320000": 40 + 4 * 50 + 20 * 100,
                "lock": 4,
            },
        )

    def test_default_sizes_are_the_original_s(self) -> None:
        """A gibibyte of log a file, and 300,000 entries."""
        config = StoreConfig()
        self.assertEqual(config.commit_log_file_size, 1073741824)
        self.assertEqual(config.consume_queue_file_bytes, 6000000)
        odd = StoreConfig(consume_queue_file_size=99)
        self.assertEqual(odd.consume_queue_file_bytes, 100)

    def test_nothing_is_lost_by_a_clean_stop(self) -> None:
        """Messages, offsets and the end of the log are as before."""
        store = self.open()
        for number in range(30):
            store.put(draft(b"%d" % number, queue_id=number % 2), NOW + number)
        end = store.commit_log_max
        store = self.reopen(store)
        self.assertEqual(store.commit_log_max, end)
        for queue_id in (0, 1):
            fetched = store.get(TOPIC, queue_id, 0, 32, 1 << 20, None)
            bodies = [int(m.body) for m in decode_all(fetched.data)]
            self.assertEqual(bodies, list(range(queue_id, 30, 2))[: len(bodies)])
            self.assertEqual(store.max_offset(TOPIC, queue_id), 15)
        self.assertEqual(store.put(draft(), NOW).queue_offset, 15)

    def test_takes_no_messages_when_closed(self) -> None:
        """Before open, after close, and in the middle of it."""
        store = MessageStore(self.root, self.clock, self.config)
        self.assertRaises(StoreNotWriteable, store.put, draft(), NOW)
        self.assertIsNotNone(store.failure)
        self.successResultOf(store.close())
        self.successResultOf(store.open())
        self.assertIsNone(store.failure)
        self.successResultOf(store.close())
        self.assertRaises(StoreNotWriteable, store.put_batch, [draft()], NOW)

    def test_leaves_no_timer_behind(self) -> None:
        """A closed store does nothing more."""
        self.successResultOf(self.open().close())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_at_a_time(self) -> None:
        """The second one learns who has it, and leaves all as it is."""
        store = self.open()
        other = MessageStore(self.root, self.clock, self.config)
        self.failureResultOf(other.open(), StoreLocked)
        store.put(draft(), NOW)
        self.successResultOf(store.close())
        self.successResultOf(other.open())
        self.assertEqual(other.max_offset(TOPIC, 0), 1)
        self.successResultOf(other.close())

    def test_other_sizes_are_refused(self) -> None:
        """A directory is not misread with a wrong configuration, nor harmed."""
        store = self.open()
        store.put(draft(), NOW)
        self.successResultOf(store.close())
        for config in (
            StoreConfig(commit_log_file_size=2000, consume_queue_file_size=80),
            StoreConfig(commit_log_file_size=1000, consume_queue_file_size=100),
        ):
            other = MessageStore(self.root, self.clock, config)
            failure = self.failureResultOf(other.open(), StoreUnreadable)
            self.assertIn("are configured", str(failure.value))
            self.assertFalse(os.path.exists(self.path("abort")))
        self.assertEqual(self.open().max_offset(TOPIC, 0), 1)

    def test_the_caller_may_hold_the_lock(self) -> None:
        """A store takes it over, and releases it when it closes."""
        lock = StoreLock(self.path("lock"))
        lock.acquire()
        store = MessageStore(self.root, self.clock, self.config, lock=lock)
        self.successResultOf(store.open())
        other = MessageStore(self.root, self.clock, self.config)
        self.failureResultOf(other.open(), StoreLocked)
        self.successResultOf(store.close())
        self.successResultOf(other.open())
        self.successResultOf(other.close())

    def test_what_cannot_be_read_is_named_in_a_sentence(self) -> None:
        """Whatever the system refuses: the directory, a checkpoint, the abort file."""
        with open(self.path("file"), "wb"):
            pass
        for name in ("checkpoint", "consumequeue.checkpoint", "abort"):
            os.makedirs(self.path(name, name))
        for root, path, why in (
            ("file", "file", "File exists"),
            ("file/below", "file/below", "Not a directory"),
            ("checkpoint", "checkpoint/checkpoint", "Is a directory"),
            (
                "consumequeue.checkpoint",
                "consumequeue.checkpoint/consumequeue.checkpoint",
                "Is a directory",
            ),
            ("abort", "abort/abort", "Is a directory"),
        ):
            store = MessageStore(self.path(root), self.clock, self.config)
            failure = self.failureResultOf(store.open(), StoreUnreadable)
            self.assertEqual(
                str(failure.value),
                f"the store cannot be read: {self.path(path)}: {why}",
            )

    def test_a_disk_error_is_a_sentence(self) -> None:
        """Nothing but a sentence leaves a store that cannot be opened."""
        self.open().put(draft(), NOW)
        for name in ("open", "sync", "set_size"):
            disk = FaultyDisk()
            disk.fail_next(name, errno.EACCES)
            store = MessageStore(self.kill(), self.clock, self.config, disk=disk)
            failure = self.failureResultOf(store.open(), StoreUnreadable)
            self.assertIn("Permission denied", str(failure.value))

    def test_files_of_other_features_are_left_alone(self) -> None:
        """The timer and what else there may be stays as it is."""
        for name in ("index/theirs", "timerwheel", "timerlog/0", "config/x"):
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), "wb") as file:
                file.write(b"theirs")
        self.reopen(self.open())
        for name in ("index/theirs", "timerwheel", "timerlog/0", "config/x"):
            self.assertEqual(self.bytes_of(name), b"theirs")

    def test_can_be_closed_while_it_opens(self) -> None:
        """A long recovery ends early; the next start begins it anew."""
        store = self.open(commit_log_file_size=8 << 20)
        for _ in range(6):
            store.put(draft(bytes(1 << 20)), NOW)
        copy = self.kill()
        config = StoreConfig(commit_log_file_size=8 << 20, consume_queue_file_size=80)
        other = MessageStore(copy, self.clock, config)
        opened = other.open()
        self.assertNoResult(opened)
        self.successResultOf(other.close())
        self.clock.advance(0)
        self.failureResultOf(opened, StoreNotWriteable)
        again = self.open(copy, commit_log_file_size=8 << 20)
        self.assertEqual(again.max_offset(TOPIC, 0), 6)

    def test_deleting_nothing(self) -> None:
        """Nothing is written where a topic has no queues."""
        store = self.open()
        store.put(draft(), NOW)
        path = Path(self.root, "consumequeue.checkpoint")
        before = path.read_bytes()
        self.successResultOf(store.delete_topic("unknown"))
        self.assertEqual(path.read_bytes(), before)
        self.successResultOf(store.delete_topic(TOPIC))
        self.assertNotEqual(path.read_bytes(), before)

    def test_deleted_topics_stay_deleted(self) -> None:
        """A topic that is rebuilt begins at offset 0, and so after a restart."""
        store = self.open()
        for _ in range(5):
            store.put(draft(), NOW)
        store.delete_topic(TOPIC)
        status = store.get(TOPIC, 0, 0, 1, 99, None).status
        self.assertEqual(status, FetchStatus.NO_MATCHED_LOGIC_QUEUE)
        store.put(draft(b"new"), NOW)
        copy = self.kill()
        for opened in (self.reopen(store), self.open(copy)):
            self.assertEqual(opened.max_offset(TOPIC, 0), 1)
            fetched = opened.get(TOPIC, 0, 0, 32, 1 << 20, None)
            self.assertEqual([m.body for m in decode_all(fetched.data)], [b"new"])


class FlushTests(StoreCase):
    """Forcing to disk in the background; the index has its own tests."""

    config = msgspec.structs.replace(SMALL, message_index_enable=False)

    def test_the_log_is_forced_every_half_second(self) -> None:
        """And the checkpoint says so a second later."""
        store = self.open()
        store.put(draft(), NOW)
        self.assertEqual(store.flushed, 0)
        self.clock.advance(0.5)
        self.assertEqual(store.flushed, SIZE)
        self.clock.advance(0.5)
        data = self.bytes_of("checkpoint")
        self.assertEqual(int.from_bytes(data[:8], "big"), NOW_MS)
        self.assertEqual(int.from_bytes(data[8:16], "big"), 0)

    def test_queues_are_written_every_second_and_forced_every_minute(self) -> None:
        """Only what is forced is in the checkpoint."""
        store = self.open()
        store.put(draft(), NOW)
        self.assertFalse(os.path.exists(self.path("consumequeue")))
        self.clock.pump([0.5, 0.5])
        name = f"consumequeue/{TOPIC}/0/{0:020d}"
        self.assertTrue(any(self.bytes_of(name)))
        self.clock.pump([1] * 59)
        data = self.bytes_of("checkpoint")
        self.assertEqual(int.from_bytes(data[8:16], "big"), NOW_MS)

    def test_fsync_runs_in_the_thread(self) -> None:
        """Messages are taken meanwhile, and closing waits for it."""
        threads = ManualThreads()
        store = MessageStore(self.root, self.clock, self.config, run_in_thread=threads)
        self.successResultOf(store.open())
        store.put(draft(), NOW)
        self.clock.advance(0.5)
        store.put(draft(), NOW)
        closed = store.close()
        for _ in range(4):
            self.assertNoResult(closed)
            threads.run_one()
        self.successResultOf(closed)
        self.assertEqual(store.flushed, 2 * SIZE)

    def test_a_failing_disk_stops_the_store_for_good(self) -> None:
        """After a failed fsync nothing is believed: the next start recovers."""
        store = self.open()
        store.put(draft(), NOW)

        def refuse(_: int) -> None:
            raise OSError(errno.EIO, "broken")

        patch = self.patch(os, "fdatasync", refuse)
        self.clock.advance(0.5)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        patch.restore()
        self.clock.pump([1] * 3)
        error = self.assertRaises(StoreNotWriteable, store.put, draft(), NOW)
        self.assertIn("broken", str(error))
        self.successResultOf(store.close())
        self.assertTrue(os.path.exists(self.path("abort")))

    def test_a_queue_that_cannot_be_written_is_tried_again(self) -> None:
        """No messages are taken until its tail is safe."""
        store = self.open()
        store.put(draft(), NOW)
        real = os.pwrite

        def refuse(descriptor: int, data: bytes, at: int) -> int:
            if len(data) == 20:
                raise OSError(errno.ENOSPC, "full")
            return real(descriptor, data, at)

        patch = self.patch(os, "pwrite", refuse)
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertRaises(StoreNotWriteable, store.put, draft(), NOW)
        fetched = store.get(TOPIC, 0, 0, 32, 1 << 20, None)
        self.assertEqual(fetched.count, 1)
        patch.restore()
        self.clock.advance(1)
        self.assertEqual(store.put(draft(), NOW).queue_offset, 1)

    def test_a_long_tail_is_written_at_once(self) -> None:
        """Memory stays bounded between two ticks."""
        store = self.open(
            commit_log_file_size=1 << 20, consume_queue_file_size=20 * 5000
        )
        for _ in range(3400):
            store.put(draft(), NOW)
        name = f"consumequeue/{TOPIC}/0/{0:020d}"
        self.assertGreater(len(self.bytes_of(name).rstrip(b"\0")), 65000)
        self.assertEqual(
            self.reopen(
                store, commit_log_file_size=1 << 20, consume_queue_file_size=20 * 5000
            ).max_offset(TOPIC, 0),
            3400,
        )


class TimersTests(StoreCase):
    """The clock is handed in."""

    def test_a_store_needs_no_reactor(self) -> None:
        """Opening, storing and closing work on a clock that stands still."""
        store = MessageStore(self.root, Clock(), self.config)
        self.successResultOf(store.open())
        store.put(draft(), NOW)
        self.successResultOf(store.close())
