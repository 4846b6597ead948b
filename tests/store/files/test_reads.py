"""Tests of reading what is not in memory."""

import errno
import os

from twisted.internet.defer import Deferred

from rocketmq_tw.store.errors import TooManyReads
from rocketmq_tw.store.files.reads import Reads, Steps, all_of, piece, then
from rocketmq_tw.store.files.residency import Residency
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

NOW_MS = int(NOW * 1000)


class ReadsCase(StoreCase):
    """Has a thread, and a disk where nothing is in memory if it is cold."""

    def setUp(self) -> None:
        """Start with a file of 100 bytes."""
        super().setUp()
        self.thread = ManualThreads()
        self.files = MappedFileQueue(self.root, 100, OpenFiles())
        self.files.write(0, bytes(range(100)))

    def chill(self, code: int = errno.EAGAIN) -> None:
        """Let reads that may not wait fail from now on."""

        def refuse(*_: object) -> int:
            raise OSError(code, os.strerror(code))

        self.patch(os, "preadv", refuse)


class ReadsTests(ReadsCase):
    """Reading now, or later."""

    def read(self, reads: Reads, position: int, size: int) -> Steps[bytes]:
        """Read now if it can be."""
        data = reads.now(self.files, position, size)
        if data is None:
            data = (yield [piece(self.files, position, size)])[0]
        return data

    def test_what_is_in_memory_is_there_at_once(self) -> None:
        """Up to the end of the file; nothing where there is none."""
        reads = Reads(self.thread)
        self.assertEqual(reads.run(self.read(reads, 90, 50)), bytes(range(90, 100)))
        self.assertEqual(reads.run(self.read(reads, 100, 50)), b"")
        self.assertEqual((reads.cold, self.thread.work), (0, []))

    def test_what_is_not_comes_later(self) -> None:
        """The thread reads the same bytes."""
        reads = Reads(self.thread)
        self.chill()
        data = reads.run(self.read(reads, 90, 50))
        self.assertNoResult(data)
        self.thread.run()
        self.assertEqual(self.successResultOf(data), bytes(range(90, 100)))
        self.assertEqual(reads.cold, 1)

    def test_a_part_is_not_enough(self) -> None:
        """A read that stops short of what is cold is made in the thread."""
        self.patch(os, "preadv", lambda *_: 3)
        reads = Reads(self.thread)
        data = reads.run(self.read(reads, 0, 5))
        self.thread.run()
        self.assertEqual(self.successResultOf(data), bytes(range(5)))

    def test_a_system_that_cannot_tell(self) -> None:
        """Then all is read at once, and nobody asks again."""
        reads = Reads(self.thread)
        self.chill(errno.EOPNOTSUPP)
        self.assertEqual(reads.now(self.files, 0, 3), b"\0\1\2")
        self.chill(errno.EIO)
        self.assertEqual(reads.now(self.files, 0, 3), b"\0\1\2")

    def test_errors_of_the_disk(self) -> None:
        """They are notified, now and later."""
        reads = Reads(self.thread)
        self.chill(errno.EIO)
        self.assertRaises(OSError, reads.now, self.files, 0, 3)
        self.chill()
        data = reads.run(self.read(reads, 0, 3))
        self.patch(os, "pread", os.preadv)
        self.thread.run()
        self.failureResultOf(data, OSError)

    def test_a_file_that_is_deleted_meanwhile(self) -> None:
        """It reads as empty."""
        reads = Reads(self.thread)
        self.chill()
        data = reads.run(self.read(reads, 0, 5))
        self.files.remove(0)
        self.thread.run()
        self.assertEqual(self.successResultOf(data), b"")

    def test_two_at_a_time(self) -> None:
        """Others wait, in order, and too many are refused."""
        reads = Reads(self.thread, max_waiting=3)
        self.chill()
        waiting = [reads.run(self.read(reads, at, 1)) for at in range(6)]
        self.failureResultOf(waiting.pop(), TooManyReads)
        self.assertEqual(len(self.thread.work), 2)
        self.assertEqual((reads.waiting, reads.refused), (3, 1))
        order: list[bytes] = []
        for each in waiting:
            each.addCallback(order.append)
        self.thread.run()
        self.assertEqual(order, [b"\0", b"\1", b"\2", b"\3", b"\4"])

    def test_large_pieces(self) -> None:
        """They are whole too."""
        files = MappedFileQueue(self.mktemp(), 1 << 20, OpenFiles())
        data = os.urandom(1 << 20)
        files.write(0, data)
        self.assertEqual(Reads().now(files, 0, 1 << 20), data)

    def test_results_of_both_kinds_are_used_alike(self) -> None:
        """Now, or when they are there; the first error is reported."""
        later: Deferred[int] = Deferred()
        self.assertEqual(then(1, str), "1")
        self.assertEqual(all_of([1, 2]), [1, 2])
        both = all_of([1, later])
        later.callback(2)
        self.assertEqual(self.successResultOf(both), [1, 2])
        broken: Deferred[int] = Deferred()
        both = all_of([1, broken])
        broken.errback(OSError(5, "broken"))
        self.failureResultOf(both, OSError)


class ColdStoreTests(ReadsCase):
    """A store whose messages are not in memory."""

    def cold(self) -> MessageStore:
        """Give a store of ten messages, stored a second apart in two queues."""
        store = self.open(self.root + "/s", consume_queue_file_size=800)
        for number in range(20):
            queue_id = number % 2
            store.put(draft(b"%05d" % number, queue_id=queue_id), NOW + number)
        self.successResultOf(store.close())
        config = {"consume_queue_file_size": 800, "message_index_enable": False}
        store = self.open(self.root + "/s", **config)
        store._reads._run_in_thread = self.thread
        store._mapped._residency = Residency(lambda *_: 0, 1 << 20)
        self.chill()
        return store

    def bodies(self, fetched: Fetched) -> list[int]:
        """Read the numbers in the bodies."""
        return [int(message.body) for message in decode_all(fetched.data)]

    def test_a_fetch_comes_later(self) -> None:
        """Entries, then records, each in the thread; then as from memory."""
        store = self.cold()
        fetched = store.get(TOPIC, 1, 2, 3, 1 << 20, None)
        self.assertNoResult(fetched)
        self.thread.run_one()
        self.assertNoResult(fetched)
        self.thread.run()
        found = self.successResultOf(fetched)
        self.assertEqual(self.bodies(found), [5, 7, 9])
        self.assertEqual((found.status, found.next_offset), (FetchStatus.FOUND, 5))

    def test_a_filter_is_asked_once(self) -> None:
        """It may count."""
        store = self.cold()
        asked = []
        fetched = store.get(
            TOPIC, 0, 0, 32, 1 << 20, lambda code: not asked.append(code)
        )
        self.thread.run()
        self.assertEqual(len(self.bodies(self.successResultOf(fetched))), len(asked))

    def test_looking_up(self) -> None:
        """Times and single records too."""
        store = self.cold()
        at = store.offset_by_time(TOPIC, 1, NOW_MS + 9000)
        time = store.store_time(TOPIC, 1, 3)
        earliest = store.earliest_store_time()
        record = store.record_at(SIZE)
        nothing = store.record_at(SIZE + 1)
        self.thread.run()
        self.assertEqual(self.successResultOf(at), 4)
        self.assertEqual(self.successResultOf(time), NOW_MS + 7000)
        self.assertEqual(self.successResultOf(earliest), NOW_MS)
        self.assertEqual(decode_all(self.successResultOf(record))[0].body, b"00001")
        self.assertIsNone(self.successResultOf(nothing))

    def test_mapped_pages(self) -> None:
        """They are not touched either, however often they are asked for."""
        store = self.cold()
        for _ in range(3):
            fetched = store.get(TOPIC, 1, 2, 3, 1 << 20, None)
            self.assertNoResult(fetched)
            self.thread.run()
            self.assertEqual(self.bodies(self.successResultOf(fetched)), [5, 7, 9])
        self.assertEqual(store._mapped.size, 0)

    def test_what_was_just_written_is_in_memory(self) -> None:
        """Consumers that keep up never wait for the disk."""
        store = self.cold()
        store.put(draft(b"1", topic=b"New"), NOW)
        fetched = store.get("New", 0, 0, 32, 1 << 20, None)
        self.assertEqual(self.bodies(fetched), [1])

    def test_messages_removed_while_they_are_read(self) -> None:
        """The consumer is asked to pull again."""
        store = self.cold()
        fetched = store.get(TOPIC, 0, 0, 2, 1 << 20, None)
        self.thread.run_one()
        store._log.files.remove(0)
        self.thread.run()
        status = self.successResultOf(fetched).status
        self.assertEqual(status, FetchStatus.MESSAGE_WAS_REMOVING)
