"""Tests of what is deleted, when, and of a disk that is full."""

import os
import time

import msgspec
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import RetentionConfig
from rocketmq_tw.store.errors import DiskFull, StoreNotWriteable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchStatus
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SMALL, TOPIC, StoreCase, draft

HOUR = 3600
#: The hour at which the tests begin, on this machine.
THIS_HOUR = time.localtime(NOW).tm_hour


class FillingDisk(Disk):
    """A disk that is as full as told, and whose files are as old as told."""

    def __init__(self) -> None:
        """Begin half full, with files that were just written."""
        self.percent = 50
        self.written_at = NOW

    def used(self, path: str) -> int:
        """Tell how full it is."""
        return self.percent

    def changed_at(self, path: str) -> float:
        """Tell when all files were written."""
        return self.written_at


class RetentionCase(StoreCase):
    """A store of five files of eight messages, in two queues."""

    keep = RetentionConfig(hours=(THIS_HOUR,))

    def setUp(self) -> None:
        """Fill the store."""
        super().setUp()
        self.disk = FillingDisk()
        self.store = self.start()
        for number in range(40):
            self.store.put(draft(b"%05d" % number, queue_id=number % 2), NOW)

    def start(self, root: str | None = None) -> MessageStore:
        """Open the store on the disk of the test."""
        config = msgspec.structs.replace(SMALL, retention=self.keep)
        store = MessageStore(root or self.root, self.clock, config, disk=self.disk)
        self.finish(store.open())
        self.addCleanup(store.close)
        return store

    def logs(self) -> list[int]:
        """Return where the files of the commit log begin; one is prepared too."""
        bases = sorted(int(name) for name in os.listdir(self.path("commitlog")))
        return [base for base in bases if base < self.store.commit_log_max]

    def wait(self, seconds: float) -> None:
        """Let the time go by, and a little more: the steps do not add up exactly."""
        self.clock.pump([0.1] * (int(seconds * 10) + 1))


class ClosedTests(RetentionCase):
    """A store that is closed while files are being deleted."""

    def test_stays_closed(self) -> None:
        """That the disk has room again does not make it take messages."""
        self.successResultOf(self.store.close())
        thread = ManualThreads()
        config = msgspec.structs.replace(SMALL, retention=self.keep)
        disk, clock = self.disk, self.clock
        store = MessageStore(
            self.root, clock, config, disk=disk, run_read_in_thread=thread
        )
        self.finish(store.open())
        disk.percent = 95
        self.wait(15)
        self.assertIsNotNone(store.failure)
        disk.percent = 50
        closed = store.close()
        thread.run()
        self.finish(closed)
        self.assertRaises(StoreNotWriteable, store.put, draft(), NOW)


class AgeTests(RetentionCase):
    """Files that are old enough."""

    def test_young_files_stay(self) -> None:
        """Nothing goes before its time."""
        self.disk.written_at = NOW - 72 * HOUR + 120
        self.wait(100)
        self.assertEqual(len(self.logs()), 5)

    def test_old_files_go_and_the_newest_stays(self) -> None:
        """All but the last, a moment apart, a minute after the start."""
        self.disk.written_at = NOW - 72 * HOUR
        self.wait(59)
        self.assertEqual(len(self.logs()), 5)
        self.wait(1)
        self.assertIn(self.logs()[0], (1000, 2000, 3000))
        self.wait(1)
        self.assertEqual(self.logs(), [4000])
        self.assertEqual(self.store.commit_log_min, 4000)

    def test_queues_follow(self) -> None:
        """Their first offsets move, and files that hold nothing go."""
        self.disk.written_at = NOW - 72 * HOUR
        self.wait(62)
        for queue_id in (0, 1):
            self.assertEqual(self.store.min_offset(TOPIC, queue_id), 16)
            left = os.listdir(self.path("consumequeue", TOPIC, str(queue_id)))
            self.assertEqual(left, [f"{320:020d}"])

    def test_the_index_follows_in_a_thread(self) -> None:
        """Its files are large: the reactor's thread does not unlink them."""
        for _ in range(60):
            self.store.put(draft(properties=b"KEYS\x01a b c\x02"), NOW)
        self.successResultOf(self.store.close())
        thread = ManualThreads()
        config = msgspec.structs.replace(SMALL, retention=self.keep)
        clock, disk = self.clock, self.disk
        store = MessageStore(
            self.root, clock, config, disk=disk, run_read_in_thread=thread
        )
        self.finish(store.open())
        self.addCleanup(self.closed, store, thread)
        files = sorted(os.listdir(self.path("index")))
        self.assertGreater(len(files), 1)
        disk.written_at = NOW - 72 * HOUR
        for _ in range(120):
            before = len(os.listdir(self.path("index")))
            self.wait(1)
            self.assertEqual(len(os.listdir(self.path("index"))), before)
            thread.run()
        self.assertEqual(sorted(os.listdir(self.path("index"))), files[-1:])

    def closed(self, store: MessageStore, thread: ManualThreads) -> None:
        """Close a store, and work for it."""
        closed = store.close()
        thread.run()
        self.finish(closed)

    def test_a_consumer_behind_learns_where_to_continue(self) -> None:
        """A pull before the first offset is answered with it."""
        self.disk.written_at = NOW - 72 * HOUR
        self.wait(62)
        found = self.store.get(TOPIC, 0, 3, 32, 1 << 20, None)
        assert not isinstance(found, Deferred)
        self.assertIs(found.status, FetchStatus.OFFSET_TOO_SMALL)
        self.assertEqual(found.next_offset, 16)
        found = self.store.get(TOPIC, 0, 16, 32, 1 << 20, None)
        assert not isinstance(found, Deferred)
        bodies = [message.body for message in decode_all(found.data)]
        self.assertEqual(bodies, [b"00032", b"00034", b"00036", b"00038"])

    def test_a_kill_after_it(self) -> None:
        """What is left is opened as it is; nothing is rebuilt."""
        self.disk.written_at = NOW - 72 * HOUR
        self.wait(62)
        again = self.start(self.kill())
        self.assertEqual(again.min_offset(TOPIC, 0), 16)
        self.assertEqual(again.max_offset(TOPIC, 0), 20)

    def test_only_so_many_at_a_time(self) -> None:
        """A round deletes ten files at most."""
        for number in range(200):
            self.store.put(draft(b"%05d" % number), NOW)
        self.disk.written_at = NOW - 72 * HOUR
        self.wait(65)
        self.assertEqual(self.logs()[0], 10_000)
        self.wait(10)
        self.assertEqual(self.logs()[0], 20_000)


class HourTests(RetentionCase):
    """The hours for deleting."""

    keep = RetentionConfig(hours=((THIS_HOUR + 2) % 24,))

    def test_files_wait_for_their_hour(self) -> None:
        """Old files stay until then."""
        self.disk.written_at = NOW - 100 * HOUR
        self.wait(70)
        self.assertEqual(len(self.logs()), 5)
        self.clock.advance(2 * HOUR)
        self.wait(11)
        self.assertEqual(len(self.logs()), 1)

    def test_the_hour_is_that_of_the_day(self) -> None:
        """The clock may be set to that hour, but the store must run for a minute."""
        self.disk.written_at = NOW - 100 * HOUR
        self.clock.shift_wall_time(2 * HOUR)
        self.wait(50)
        self.assertEqual(len(self.logs()), 5)
        self.wait(21)
        self.assertEqual(len(self.logs()), 1)

    def test_a_fuller_disk_does_not_wait(self) -> None:
        """Above the first threshold old files go at any hour, young ones do not."""
        self.disk.percent = 76
        self.wait(70)
        self.assertEqual(len(self.logs()), 5)
        self.disk.written_at = NOW - 100 * HOUR
        self.wait(11)
        self.assertEqual(len(self.logs()), 1)


class ForcedTests(RetentionCase):
    """A disk that is nearly full."""

    keep = RetentionConfig(hours=())

    def test_young_files_go(self) -> None:
        """Above the second threshold age does not count."""
        self.disk.percent = 86
        self.wait(15)
        self.assertEqual(self.logs(), [4000])

    def test_unless_that_is_switched_off(self) -> None:
        """``cleanFileForciblyEnable=false`` keeps them."""
        self.successResultOf(self.store.close())
        self.keep = RetentionConfig(hours=(), clean_forcibly_enable=False)
        self.store = self.start()
        self.disk.percent = 95
        self.wait(70)
        self.assertEqual(len(self.logs()), 5)


class FullTests(RetentionCase):
    """Above the third threshold."""

    keep = RetentionConfig(hours=(), clean_forcibly_enable=False)

    def test_messages_are_refused_until_there_is_room(self) -> None:
        """The response names the path and the use; reading goes on."""
        end = self.store.commit_log_max
        self.disk.percent = 91
        self.wait(10)
        error = self.assertRaises(DiskFull, self.store.put, draft(), NOW)
        self.assertIn(self.path("commitlog"), str(error))
        self.assertIn("91 %", str(error))
        self.assertRaises(DiskFull, self.store.put_batch, [draft()], NOW)
        self.assertIsNotNone(self.store.failure)
        self.assertEqual(self.store.commit_log_max, end)
        found = self.store.get(TOPIC, 0, 0, 32, 1 << 20, None)
        assert not isinstance(found, Deferred)
        self.assertIs(found.status, FetchStatus.FOUND)
        self.disk.percent = 90
        self.wait(10)
        self.assertEqual(self.store.put(draft(), NOW).queue_offset, 20)

    def test_from_the_start(self) -> None:
        """A store on a full disk opens, to be read."""
        self.successResultOf(self.store.close())
        self.disk.percent = 99
        self.store = self.start()
        self.assertRaises(DiskFull, self.store.put, draft(), NOW)
        self.successResultOf(self.store.close())


class RetentionConfigTests(SynchronousTestCase):
    """The bounds of the thresholds."""

    def test_thresholds_are_bounded(self) -> None:
        """What is out of bounds counts as the bound."""
        low = RetentionConfig(max_used=0, clean_forcibly=0, warning=0).bounded()
        high = RetentionConfig(max_used=99, clean_forcibly=99, warning=99).bounded()
        self.assertEqual((low.max_used, low.clean_forcibly, low.warning), (10, 30, 35))
        high_ones = (high.max_used, high.clean_forcibly, high.warning)
        self.assertEqual(high_ones, (95, 85, 90))


class DiskTests(SynchronousTestCase):
    """How full a real disk is."""

    def test_percent_of_what_can_be_used(self) -> None:
        """It is between 0 and 100, also for a path that is still to be made."""
        used = Disk().used(os.path.join(self.mktemp(), "not", "there"))
        self.assertTrue(0 <= used <= 100)
