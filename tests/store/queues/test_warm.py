"""Tests of fetching what is in memory: as the other way does, with less work."""

import errno
import os
import sys
import tracemalloc

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.consumequeue import PRE_BLANK_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.fetch import FetchRequest, fetch
from rocketmq_tw.store.queues.fetched import Fetched
from rocketmq_tw.store.queues.warm import fetch_warm
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SMALL, TOPIC, StoreCase, draft

LARGE = 1 << 20


class WarmCase(StoreCase):
    """Fetches both ways."""

    config = msgspec.structs.replace(
        SMALL, commit_log_file_size=1 << 20, consume_queue_file_size=4000
    )

    def queue(self, store: MessageStore, queue_id: int = 0) -> ConsumeQueue:
        """Return a queue of the topic."""
        return store._queues.table[TOPIC.encode(), queue_id]

    def warm(
        self, store: MessageStore, offset: int, count: int = 32, size: int = LARGE
    ) -> Fetched | None:
        """Fetch from queue 0 the short way."""
        return fetch_warm(store._view, self.queue(store), offset, count, size)

    def other(
        self, store: MessageStore, offset: int, count: int = 32, size: int = LARGE
    ) -> Fetched:
        """Fetch from queue 0 in steps."""
        request = FetchRequest(offset, count, size, None)
        found = store._reads.run(fetch(store._view, self.queue(store), request))
        assert isinstance(found, Fetched)
        return found

    def filled(self, count: int = 40, queues: int = 4) -> MessageStore:
        """Open a store with messages of 1,000 bytes in some queues, one after one."""
        store = self.open()
        for number in range(count * queues):
            store.put(draft(bytes(1000), queue_id=number % queues), NOW)
        return store


class WorkTests(WarmCase):
    """What a pull costs."""

    def test_each_byte_once(self) -> None:
        """No more memory is used than the records of the queue take."""
        store = self.filled()
        for place in ("in the window", "in the files"):
            with self.subTest(place):
                store.get(TOPIC, 0, 0, 32, LARGE, None)  # makes what is made once
                tracemalloc.start()
                found = store.get(TOPIC, 0, 0, 32, LARGE, None)
                _, most = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                self.assertEqual(found.count, 32)
                self.assertLess(most, len(found.data) + 20_000)
            self.clock.advance(2)
            store._log.close()

    def test_calls_do_not_grow_with_the_messages(self) -> None:
        """Entries are decoded and chosen together, not one by one."""
        store = self.filled()
        few, many = self.calls(store, 8), self.calls(store, 32)
        self.assertEqual(few, many)
        self.assertLess(many, 52)

    def calls(self, store: MessageStore, count: int) -> int:
        """Count the calls of a fetch, those into C too."""
        store.get(TOPIC, 0, 0, count, LARGE, None)  # makes what is made once
        events: list[str] = []
        sys.setprofile(lambda _frame, event, _argument: events.append(event))
        try:
            store.get(TOPIC, 0, 0, count, LARGE, None)
        finally:
            sys.setprofile(None)
        return events.count("call") + events.count("c_call")

    def test_one_read_for_entries_and_one_for_records(self) -> None:
        """However many messages there are, and other queues between them."""
        store = self.filled()
        self.clock.advance(2)
        store._log.close()
        sizes = self.reads_of(store, [(0, 0)])
        self.assertEqual(len(sizes), 2)

    def test_entries_ahead(self) -> None:
        """They are read once for several pulls."""
        store = self.filled(160, 1)
        self.clock.advance(2)
        store._log.close()
        sizes = self.reads_of(store, [(0, offset) for offset in range(0, 160, 32)])
        self.assertEqual(len(sizes), 5 + 1)
        self.assertEqual(min(sizes), 160 * 20)

    def reads_of(self, store: MessageStore, pulls: list[tuple[int, int]]) -> list[int]:
        """Pull from queues, 32 messages each; return the sizes of what is read."""
        sizes: list[int] = []
        preadv = os.preadv

        def note(descriptor: int, views: list[memoryview], at: int, _flag: int) -> int:
            sizes.append(len(views[0]))
            return preadv(descriptor, views, at)

        self.patch(store._reads, "_has_nowait", True)
        self.patch(os, "preadv", note)
        for queue_id, offset in pulls:
            found = store.get(TOPIC, queue_id, offset, 32, LARGE, None)
            self.assertEqual(found.count, 32)
        self.patch(os, "preadv", preadv)
        return sizes


class SameTests(WarmCase):
    """The result is that of the other way."""

    def test_everywhere(self) -> None:
        """From the tail and the file, from the window and outside it."""
        store = self.filled()
        for _ in range(2):
            for offset in (0, 1, 8, 20, 39):
                self.assertEqual(self.warm(store, offset), self.other(store, offset))
            self.clock.advance(2)
            store._log.close()

    def test_old_ones(self) -> None:
        """Fewer of them, as of the other way."""
        store = self.filled()
        store._view = msgspec.structs.replace(store._view, memory_size=50_000)
        for offset in (0, 20, 30, 39):
            self.assertEqual(self.warm(store, offset), self.other(store, offset))
        found = self.warm(store, 0)
        assert found is not None
        self.assertEqual(found.count, 8)

    @settings(max_examples=60, deadline=None)
    @given(
        sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=60),
        queues=st.integers(1, 3),
        offset=st.integers(0, 20),
        count=st.integers(0, 40),
        size=st.integers(0, 40_000),
    )
    def test_whatever_is_asked_for(
        self, sizes: list[int], queues: int, offset: int, count: int, size: int
    ) -> None:
        """Any sizes, any limits, and other queues between."""
        self.setUp()
        store = self.open()
        for number, length in enumerate(sizes):
            store.put(draft(bytes(length), queue_id=number % queues), NOW)
        found = self.warm(store, offset, count, size)
        if offset < self.queue(store).next:
            self.assertEqual(found, self.other(store, offset, count, size))
            assert found is not None
            self.assertEqual(len(decode_all(found.data)), found.count)
        else:
            self.assertIsNone(found)
        self.successResultOf(store.close())


class LeftTests(WarmCase):
    """What is left to the other way."""

    def test_outside_the_queue(self) -> None:
        """Before it and behind it."""
        store = self.filled(3)
        self.assertIsNone(self.warm(store, -1))
        self.assertIsNone(self.warm(store, 3))

    def test_lost_entries(self) -> None:
        """They are stepped over there."""
        store = self.filled(5)
        self.queue(store).replace(2, 100, PRE_BLANK_SIZE, 0)
        self.assertIsNone(self.warm(store, 0))
        self.assertEqual(store.get(TOPIC, 0, 0, 32, LARGE, None).count, 4)

    def test_removed_records(self) -> None:
        """Those of the oldest file."""
        store = self.open(commit_log_file_size=4096)
        for _ in range(12):
            store.put(draft(bytes(1000)), NOW)
        self.clock.advance(2)
        store._log.files.remove(0)
        self.assertIsNone(self.warm(store, 0))
        self.assertIsNotNone(self.warm(store, 6, 2))

    def test_across_files(self) -> None:
        """Records that no read brings together."""
        store = self.open(commit_log_file_size=4096)
        for _ in range(6):
            store.put(draft(bytes(1000)), NOW)
        self.assertIsNone(self.warm(store, 2, 2))
        self.assertEqual(store.get(TOPIC, 0, 2, 2, LARGE, None).count, 2)

    def test_a_missing_file_of_entries(self) -> None:
        """They are stepped over there, too."""
        store = self.filled(40, 1)
        self.clock.advance(2)
        self.queue(store).files.remove(0)
        self.assertIsNone(self.warm(store, 0))

    def test_cold_ones(self) -> None:
        """Entries and records that have to be read from disk."""
        store = self.filled(5)
        self.clock.advance(2)
        self.patch(store._reads, "_has_nowait", True)
        store._log.close()

        def refuse(*_: object) -> int:
            raise OSError(errno.EAGAIN, "cold")

        self.patch(os, "preadv", refuse)
        self.assertIsNone(self.warm(store, 0))


class VerifiedTests(WarmCase):
    """Entries of an earlier run."""

    def test_only_what_was_verified(self) -> None:
        """A damaged entry is found the first time it is read, not later."""
        store = self.reopen(self.filled(10, 1))
        queue = self.queue(store)
        self.assertEqual(queue.unverified_end, 10)
        expected = store.get(TOPIC, 0, 0, 4, LARGE, None)
        self.assertEqual(queue.verified, (0, 4))
        # Not what a disk does: an entry that is wrong, and is not looked at again.
        queue.replace(2, 2 * 1110, 1000, 0)
        again = store.get(TOPIC, 0, 0, 4, LARGE, None)
        self.assertLess(len(again.data), len(expected.data))
        # Part of it is not verified.
        self.assertEqual(store.get(TOPIC, 0, 0, 5, LARGE, None).count, 5)
        self.assertEqual(queue.verified, (0, 5))
        self.assertEqual(store.get(TOPIC, 0, 0, 4, LARGE, None).data, expected.data)
