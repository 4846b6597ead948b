"""Tests of the reading half of a store: what each question is answered with."""

from twisted.internet.defer import Deferred

from rocketmq_tw.store.memory.store import MemoryMessageStore
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchStatus
from rocketmq_tw.wire.record import decode, decode_all
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

NOW_MS = int(NOW * 1000)


class ReadableStoreTests(StoreCase):
    """Both stores, with three messages a second apart."""

    def setUp(self) -> None:
        """Store the messages in queue 0 of each."""
        super().setUp()
        memory = MemoryMessageStore(self.config)
        self.successResultOf(memory.open())
        self.stores: list[MessageStore | MemoryMessageStore] = [self.open(), memory]
        for store in self.stores:
            for number in range(3):
                store.put(draft(b"%05d" % number), NOW + number)

    def test_unknown_queue(self) -> None:
        """It has no messages, its offsets are 0 and its times unknown."""
        for store in self.stores:
            found = store.get(TOPIC, 9, 0, 1, 1000, None)
            assert not isinstance(found, Deferred)
            self.assertIs(found.status, FetchStatus.NO_MATCHED_LOGIC_QUEUE)
            ends = (store.min_offset(TOPIC, 9), store.max_offset(TOPIC, 9))
            self.assertEqual(ends, (0, 0))
            self.assertEqual(store.offset_by_time(TOPIC, 9, NOW_MS), 0)
            self.assertEqual(store.store_time(TOPIC, 9, 0), -1)

    def test_get(self) -> None:
        """No more than wanted, from the offset on."""
        for store in self.stores:
            found = store.get(TOPIC, 0, 1, 1, 1000, None)
            assert not isinstance(found, Deferred)
            self.assertEqual(decode(bytes(found.data)).body, b"00001")
            self.assertEqual((found.next_offset, found.max_offset), (2, 3))

    def test_times(self) -> None:
        """Of one message, of the oldest, and which message a time points at."""
        for store in self.stores:
            self.assertEqual(store.store_time(TOPIC, 0, 2), NOW_MS + 2000)
            self.assertEqual(store.store_time(TOPIC, 0, 3), -1)
            self.assertEqual(store.earliest_store_time(), NOW_MS)
            self.assertEqual(store.offset_by_time(TOPIC, 0, NOW_MS + 500), 1)
            self.assertEqual(store.offset_by_time(TOPIC, 0, NOW_MS + 500, True), 0)

    def test_record_at(self) -> None:
        """Only where one begins."""
        for store in self.stores:
            record = store.record_at(SIZE)
            assert isinstance(record, bytes)
            self.assertEqual(decode(record).body, b"00001")
            self.assertIsNone(store.record_at(SIZE + 1))
            self.assertIsNone(store.record_at(3 * SIZE))

    def test_extent(self) -> None:
        """The log's first and next offsets, and the queues there are."""
        for store in self.stores:
            extent = (store.commit_log_min, store.commit_log_max)
            self.assertEqual(extent, (0, 3 * SIZE))
            self.assertEqual(store.queues(), {TOPIC: [0]})

    def test_entries_of_an_earlier_run_are_verified(self) -> None:
        """Entries that were swapped on the disk lead to their own messages."""
        store = self.stores[0]
        assert isinstance(store, MessageStore)
        self.successResultOf(store.close())
        name = self.path("consumequeue", TOPIC, "0", f"{0:020d}")
        with open(name, "r+b") as file:
            first, second = file.read(20), file.read(20)
            file.seek(0)
            file.write(second + first)
        reopened = self.open()
        found = reopened.get(TOPIC, 0, 0, 2, 1000, None)
        assert not isinstance(found, Deferred)
        records = decode_all(bytes(found.data))
        self.assertEqual([each.queue_offset for each in records], [0, 1])
