"""Tests of opening stores that were not closed, or that others wrote."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

_ROOT = Path(__file__).parents[3]
_WRITER = """
import os, signal, sys
from twisted.internet.task import Clock
from rocketmq_tw.store.message_store import MessageStore
from tests.store.cases import NOW, SMALL, draft
store = MessageStore(sys.argv[1], Clock(), SMALL)
store.open()
for number in range(1000):
    store.put(draft(b"%d" % number), NOW)
os.kill(os.getpid(), signal.SIGKILL)
"""


class LazyDisk(Disk):
    """A disk that says at once that it keeps everything: kills do not ask it."""

    def sync(self, descriptor: int) -> None:
        """Do nothing."""


class RecoveryCase(StoreCase):
    """Reads whole queues back."""

    def open(self, root: str | None = None, **options: object) -> MessageStore:
        """Open a store without waiting for the disk."""
        config = msgspec.structs.replace(self.config, **options)
        store = MessageStore(root or self.root, self.clock, config, disk=LazyDisk())
        self.finish(store.open())
        self.addCleanup(store.close)
        return store

    def bodies(self, store: MessageStore, queue_id: int = 0) -> list[bytes]:
        """Return the bodies of all messages of a queue."""
        bodies = []
        offset = store.min_offset(TOPIC, queue_id)
        while offset < store.max_offset(TOPIC, queue_id):
            fetched = store.get(TOPIC, queue_id, offset, 32, 1 << 20, None)
            bodies += [message.body for message in decode_all(fetched.data)]
            offset = fetched.next_offset
        return bodies

    def fill(self, store: MessageStore, count: int, first: int = 0) -> None:
        """Store numbered messages of one size in two queues."""
        for number in range(first, first + count):
            store.put(draft(b"%05d" % number, queue_id=number % 2), NOW + number)

    def expect(self, store: MessageStore, count: int) -> None:
        """See that both queues hold what :meth:`fill` stored, and that it goes on."""
        for queue_id in (0, 1):
            expected = [b"%05d" % n for n in range(queue_id, count, 2)]
            self.assertEqual(self.bodies(store, queue_id), expected)
        self.fill(store, 4, first=count)
        self.assertEqual(
            self.bodies(store)[-1], b"%05d" % (count + 3 - (count + 1) % 2)
        )


class KilledTests(RecoveryCase):
    """What a killed process leaves."""

    def test_a_killed_process_loses_nothing(self) -> None:
        """All that was stored before SIGKILL is there, without any flush."""
        root = os.path.abspath(self.mktemp())
        command = [sys.executable, "-c", _WRITER, root]
        done = subprocess.run(command, cwd=_ROOT, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        bodies = self.bodies(self.open(root))
        self.assertEqual(bodies, [b"%d" % number for number in range(1000)])

    def test_at_every_stage(self) -> None:
        """Before, between and after flushes of log and queues."""
        store = self.open()
        for count in range(0, 40, 5):
            self.expect(self.open(self.kill()), count)
            self.fill(store, 5, first=count)
            self.clock.advance(0.5)
        self.clock.pump([1] * 60)
        self.expect(self.open(self.kill()), 40)

    def test_after_a_restart(self) -> None:
        """Clean stops and kills may come in any order."""
        store = self.open()
        self.fill(store, 10)
        store = self.reopen(store)
        self.fill(store, 10, first=10)
        root = self.kill()
        store = self.open(root)
        self.fill(store, 10, first=20)
        self.successResultOf(store.close())
        self.expect(self.open(root), 30)

    def test_torn_entries_are_rebuilt(self) -> None:
        """Consume queues behind the checkpoint are not believed."""
        store = self.open()
        self.fill(store, 20)
        self.clock.advance(1)
        root = self.kill()
        with open(f"{root}/consumequeue/{TOPIC}/0/{80:020d}", "r+b") as file:
            file.write(b"\xff" * 11 + b"\1" * 20)
        self.expect(self.open(root), 20)

    def test_lost_queues_are_rebuilt(self) -> None:
        """The commit log alone is enough."""
        store = self.open()
        self.fill(store, 20)
        self.successResultOf(store.close())
        shutil.rmtree(self.path("consumequeue"))
        os.unlink(self.path("checkpoint"))
        self.expect(self.open(), 20)

    def test_the_checkpoint_saves_work(self) -> None:
        """Recovery begins at the newest file that is surely on disk."""
        store = self.open()
        self.fill(store, 40)
        self.successResultOf(store.close())
        with open(self.path("abort"), "wb"):
            pass
        with open(self.path("commitlog", f"{0:020d}"), "r+b") as file:
            file.write(b"damage")
        store = self.open()
        self.assertEqual(store.max_offset(TOPIC, 0), 20)

    def test_log_without_a_file_for_its_queues(self) -> None:
        """Queues of a log that is gone are emptied, not served."""
        store = self.open()
        self.fill(store, 20)
        self.successResultOf(store.close())
        shutil.rmtree(self.path("commitlog"))
        self.expect(self.open(), 0)


class CutTests(RecoveryCase):
    """A log whose end is damaged."""

    def cut(self, root: str, is_short: bool) -> None:
        """Cut the last three records at every byte; zeros follow, or nothing."""
        kept = self.mktemp()
        shutil.copytree(root, kept)
        path = f"{root}/commitlog/{0:020d}"
        with open(path, "rb") as file:
            whole = file.read()
        for cut in range(2 * SIZE, 5 * SIZE + 1):
            with open(path, "wb") as file:
                file.write(whole[:cut].ljust(0 if is_short else 1000, b"\0"))
            count = cut // SIZE
            again = self.open(root)
            self.assertEqual(again.commit_log_max, count * SIZE)
            self.assertEqual(os.path.getsize(path), 1000)
            for queue_id in (0, 1):
                expected = [b"%05d" % n for n in range(queue_id, count, 2)]
                self.assertEqual(self.bodies(again, queue_id), expected)
            again.put(draft(), NOW)
            self.assertEqual(self.bodies(again)[-1], b"Hello")
            self.successResultOf(again.close())
            shutil.rmtree(root)
            shutil.copytree(kept, root)

    def test_cut_at_every_byte(self) -> None:
        """The whole records before the cut stay, and messages go on behind them."""
        store = self.open()
        self.fill(store, 5)
        self.cut(self.kill(), is_short=False)

    def test_a_file_cut_at_every_byte(self) -> None:
        """The same of a file that ends there; it gets its length back."""
        store = self.open()
        self.fill(store, 5)
        self.cut(self.kill(), is_short=True)

    def test_cut_after_the_queues_were_written(self) -> None:
        """Entries of records that are cut off go with them."""
        store = self.open()
        self.fill(store, 5)
        self.clock.advance(1)
        self.cut(self.kill(), is_short=False)

    def test_cut_after_a_clean_stop(self) -> None:
        """The same where nothing told of damage."""
        store = self.open()
        self.fill(store, 5)
        self.successResultOf(store.close())
        self.cut(self.root, is_short=True)

    def test_stale_bytes_behind_the_end_are_wiped(self) -> None:
        """Records behind a damaged one cannot come back after the next kill."""
        store = self.open()
        self.fill(store, 6)
        root = self.kill()
        path = f"{root}/commitlog/{0:020d}"
        with open(path, "r+b") as file:
            file.seek(2 * SIZE + 90)
            file.write(b"damage")
        again = self.open(root)
        self.assertEqual(again.commit_log_max, 2 * SIZE)
        with open(path, "rb") as file:
            self.assertFalse(any(file.read()[2 * SIZE :]))

    def test_spare_files_are_removed(self) -> None:
        """The original makes files ahead; after a crash they are all zero."""
        store = self.open()
        self.fill(store, 10)
        root = self.kill()
        for base in (2000, 3000):
            with open(f"{root}/commitlog/{base:020d}", "wb") as file:
                file.write(bytes(1000))
        again = self.open(root)
        self.assertEqual(len(os.listdir(f"{root}/commitlog")), 2)
        self.expect(again, 10)

    def test_a_kill_between_files(self) -> None:
        """The next file is there, and the blank that leads to it is not."""
        store = self.open()
        self.fill(store, 8)
        root = self.kill()
        with open(f"{root}/commitlog/{1000:020d}", "wb") as file:
            file.write(bytes(1000))
        self.expect(self.open(root), 8)

    def test_a_blank_without_a_next_file(self) -> None:
        """The original marks the old file first: the log goes on at the border."""
        store = self.open()
        self.fill(store, 9)
        root = self.kill()
        os.unlink(f"{root}/commitlog/{1000:020d}")
        again = self.open(root)
        self.assertEqual(again.commit_log_max, 1000)
        self.expect(again, 8)

    def test_a_damaged_size_is_no_reason_to_read_a_gibibyte(self) -> None:
        """A size beyond the file is damage."""
        store = self.open()
        self.fill(store, 3)
        root = self.kill()
        with open(f"{root}/commitlog/{0:020d}", "r+b") as file:
            file.seek(2 * SIZE)
            file.write(b"\x7f\xff\xff\xff")
        self.expect(self.open(root), 2)


class ForeignTests(RecoveryCase):
    """Directories with a past."""

    def test_a_log_whose_first_files_are_gone(self) -> None:
        """Entries of deleted records do not count; the rest is served."""
        store = self.open()
        self.fill(store, 40)
        self.successResultOf(store.close())
        for base in (0, 1000):
            os.unlink(self.path("commitlog", f"{base:020d}"))
        store = self.open()
        self.assertEqual(store.commit_log_min, 2000)
        self.assertEqual(store.min_offset(TOPIC, 0), 8)
        self.assertEqual(self.bodies(store)[0], b"00016")

    def test_the_same_after_a_kill_without_queues(self) -> None:
        """Queues begin in the middle then."""
        store = self.open()
        self.fill(store, 40)
        root = self.kill()
        for base in (0, 1000):
            os.unlink(f"{root}/commitlog/{base:020d}")
        for _ in range(2):
            store = self.open(root)
            self.assertEqual(store.min_offset(TOPIC, 1), 8)
            self.assertEqual(store.max_offset(TOPIC, 1), 20)
            self.assertEqual(self.bodies(store, 1)[0], b"00017")
            self.successResultOf(store.close())

    def test_a_record_behind_the_queues_after_a_clean_stop(self) -> None:
        """A queue that lacks its newest entries gets them from the log."""
        store = self.open()
        self.fill(store, 12)
        self.successResultOf(store.close())
        os.unlink(self.path("checkpoint"))
        for queue_id in (0, 1):
            path = self.path("consumequeue", TOPIC, str(queue_id), f"{80:020d}")
            with open(path, "r+b") as file:
                file.write(bytes(80))
        self.expect(self.open(), 12)

    def test_a_deleted_newest_topic_stays_deleted(self) -> None:
        """A clean stop remembers how far the log was dispatched."""
        store = self.open()
        self.fill(store, 4)
        for _ in range(3):
            store.put(draft(topic=b"Gone"), NOW + 50)
        store.delete_topic("Gone")
        store = self.reopen(store)
        self.assertEqual(store.queues(), {TOPIC: [0, 1]})
        self.expect(store, 4)
