"""Tests of reading a queue."""

import os

import msgspec

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SIZE, SMALL, TAG_A, TOPIC, StoreCase, draft


class FetchCase(StoreCase):
    """Reads from a store."""

    def get(
        self, store: MessageStore, offset: int, count: int = 32, size: int = 1 << 20
    ) -> Fetched:
        """Read all tags from queue 0."""
        return store.get(TOPIC, 0, offset, count, size, None)

    def bodies(self, fetched: Fetched) -> list[bytes]:
        """Return the bodies, and see that they are as many as promised."""
        messages = decode_all(fetched.data)
        self.assertEqual(len(messages), fetched.count)
        return [message.body for message in messages]


class ExaminedTests(FetchCase):
    """How much of a queue one fetch reads."""

    config = msgspec.structs.replace(SMALL, consume_queue_file_size=40_000)

    def test_bounded_whatever_is_asked_for(self) -> None:
        """With a filter 800 entries are examined, and then the consumer asks again."""
        store = self.open()
        for _ in range(1500):
            store.put(draft(b""), NOW)
        seen: list[int] = []
        fetched = store.get(TOPIC, 0, 0, 1 << 31, 1 << 31, seen.append)
        self.assertEqual((len(seen), fetched.next_offset), (800, 800))
        self.assertEqual(fetched.status, FetchStatus.NO_MATCHED_MESSAGE)
        found = store.get(TOPIC, 0, 0, 1 << 31, 1 << 31, None)
        self.assertEqual((found.count, found.next_offset), (32, 32))


class StatusTests(FetchCase):
    """The response to every offset."""

    def test_an_unknown_queue(self) -> None:
        """There is nothing, and the next offset is 0."""
        fetched = self.get(self.open(), 5)
        self.assertEqual(fetched, Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0))

    def test_a_queue_without_messages(self) -> None:
        """A queue that only saw a half message is empty."""
        store = self.open()
        store.put(draft(sys_flag=4), NOW)
        for offset in (0, 5):
            fetched = self.get(store, offset)
            expected = Fetched(FetchStatus.NO_MESSAGE_IN_QUEUE, 0, 0, 0)
            self.assertEqual(fetched, expected)

    def test_outside_the_queue(self) -> None:
        """The consumer learns where to go."""
        store = self.open()
        for _ in range(3):
            store.put(draft(), NOW)
        for offset, status, next_offset in (
            (-1, FetchStatus.OFFSET_TOO_SMALL, 0),
            (3, FetchStatus.OFFSET_OVERFLOW_ONE, 3),
            (4, FetchStatus.OFFSET_OVERFLOW_BADLY, 3),
        ):
            expected = Fetched(status, next_offset, 0, 3)
            self.assertEqual(self.get(store, offset), expected)

    def test_found(self) -> None:
        """Records, where to go on, and the place of the last."""
        store = self.open()
        for number in range(5):
            store.put(draft(b"%05d" % number), NOW)
        fetched = self.get(store, 1, count=2)
        self.assertEqual(self.bodies(fetched), [b"00001", b"00002"])
        self.assertEqual(fetched.status, FetchStatus.FOUND)
        self.assertEqual((fetched.next_offset, fetched.max_offset), (3, 5))
        self.assertEqual(fetched.last_commit_log_offset, 2 * SIZE)

    def test_all_filtered(self) -> None:
        """Nothing matches: go on behind what was looked at."""
        store = self.open()
        for _ in range(3):
            store.put(draft(), NOW)
        fetched = store.get(TOPIC, 0, 1, 32, 1 << 20, lambda code: code != TAG_A)
        expected = Fetched(FetchStatus.NO_MATCHED_MESSAGE, 3, 0, 3)
        self.assertEqual(fetched, expected)

    def test_entries_that_cannot_be_read(self) -> None:
        """A lost consume queue file is stepped over."""
        store = self.open()
        for _ in range(9):
            store.put(draft(), NOW)
        self.clock.advance(1)
        queue = store._queues.table[TOPIC.encode(), 0]
        queue.files.remove(80)
        fetched = self.get(store, 5)
        expected = Fetched(FetchStatus.OFFSET_FOUND_NULL, 8, 0, 9)
        self.assertEqual(fetched, expected)
        self.assertEqual(self.get(store, 8).status, FetchStatus.FOUND)

    def test_removed_records(self) -> None:
        """Entries whose records are gone are stepped over."""
        store = self.open(consume_queue_file_size=240)
        for _ in range(12):
            store.put(draft(), NOW)
        self.clock.advance(1)
        store._log.files.remove(0)
        fetched = self.get(store, 0, count=4)
        self.assertEqual(fetched.status, FetchStatus.MESSAGE_WAS_REMOVING)
        self.assertEqual((fetched.next_offset, fetched.count), (4, 0))
        fetched = self.get(store, 6)
        self.assertEqual(fetched.status, FetchStatus.FOUND)
        self.assertEqual((fetched.next_offset, fetched.count), (12, 4))


class LimitTests(FetchCase):
    """How much one fetch gives."""

    def filled(self, bodies: list[bytes], **options: object) -> MessageStore:
        """Open a store with a large log file and put messages of these bodies."""
        options = {"commit_log_file_size": 1 << 22, "consume_queue_file_size": 2000} | (
            options
        )
        store = self.open(**options)
        for body in bodies:
            store.put(draft(body), NOW)
        return store

    def test_a_count(self) -> None:
        """The consumer's, or 32, or 8 where the log is no longer in memory."""
        store = self.filled([b"x"] * 50)
        self.assertEqual(self.get(store, 0, count=5).count, 5)
        self.assertEqual(self.get(store, 0, count=99).count, 32)
        self.successResultOf(store.close())
        store = self.filled([], memory_size=20 * 111)
        self.assertEqual(self.get(store, 0, count=99).count, 8)
        self.assertEqual(self.get(store, 40, count=99).count, 10)

    def test_a_size(self) -> None:
        """The first message is given whatever its size."""
        store = self.filled([bytes(1000)] * 4)
        self.assertEqual(self.get(store, 0, size=10).count, 1)
        self.assertEqual(self.get(store, 0, size=1110 * 2).count, 2)
        self.assertEqual(self.get(store, 0).count, 4)

    def test_a_size_in_memory_and_on_disk(self) -> None:
        """256 KiB at a time, and 64 KiB of what is old."""
        store = self.filled([bytes(60_000)] * 6)
        self.assertEqual(self.get(store, 0).count, 4)
        self.successResultOf(store.close())
        store = self.filled([], memory_size=1)
        self.assertEqual(self.get(store, 0).count, 1)

    def test_a_zero_count_gives_one(self) -> None:
        """As the original does."""
        store = self.filled([b"x"] * 3)
        self.assertEqual(self.get(store, 0, count=0).count, 1)

    def test_filtering_looks_further(self) -> None:
        """800 entries are looked through at a time."""
        store = self.filled([], consume_queue_file_size=20 * 1000)
        for number in range(900):
            store.put(draft(b"x", tags_code=number), NOW)
        fetched = store.get(TOPIC, 0, 0, 2, 1 << 20, lambda code: code in (799, 800))
        self.assertEqual((fetched.count, fetched.next_offset), (1, 800))
        fetched = store.get(TOPIC, 0, 0, 32, 1 << 20, lambda code: code == 800)
        self.assertEqual(fetched.status, FetchStatus.NO_MATCHED_MESSAGE)
        self.assertEqual(fetched.next_offset, 800)

    def test_stops_before_the_first_that_is_too_many(self) -> None:
        """Filtered messages behind the last one given are looked at again."""
        store = self.filled([])
        for number in range(10):
            store.put(draft(b"%d" % number, tags_code=number % 2), NOW)
        fetched = store.get(TOPIC, 0, 0, 2, 1 << 20, lambda code: code == 1)
        self.assertEqual(self.bodies(fetched), [b"1", b"3"])
        self.assertEqual(fetched.next_offset, 5)


class SpanTests(FetchCase):
    """Records that do not lie side by side."""

    def test_between_other_queues(self) -> None:
        """Only the queue's own records are given."""
        store = self.open()
        for number in range(20):
            store.put(draft(b"%02d" % number, queue_id=number % 3), NOW)
        read = b"".join(
            self.bodies(self.get(store, offset, count=2))[0] for offset in range(7)
        )
        self.assertEqual(read, b"00030609121518")

    def test_across_files(self) -> None:
        """Records of several files come in one response."""
        store = self.open()
        for number in range(20):
            store.put(draft(b"%05d" % number), NOW)
        self.assertGreater(len(os.listdir(self.path("commitlog"))), 2)
        # One consume queue file, of four entries, is read at a time.
        self.clock.advance(1)
        read = []
        offset = 0
        while offset < 20:
            fetched = self.get(store, offset)
            read += self.bodies(fetched)
            offset = fetched.next_offset
        self.assertEqual(read, [b"%05d" % number for number in range(20)])

    def test_far_apart(self) -> None:
        """Small records with much between them are read one by one."""
        store = self.open(commit_log_file_size=4 << 20)
        for number in range(3):
            store.put(draft(b"%d" % number), NOW)
            store.put(draft(bytes(600_000), queue_id=1), NOW)
        self.assertEqual(self.bodies(self.get(store, 0)), [b"0", b"1", b"2"])
