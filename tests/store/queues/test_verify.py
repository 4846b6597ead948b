"""Tests of entries that are damaged, and far from their neighbours' records."""

from __future__ import annotations

import os
import struct

import msgspec
from twisted.internet.defer import Deferred

import rocketmq_tw.store.queues.verify as proof
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchRequest, FetchStatus, fetch
from rocketmq_tw.store.queues.verify import Verification
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SMALL, TOPIC, StoreCase, draft

#: Commit log offset, size and tags code of an entry.
_ENTRY = struct.Struct(">qiq")


class RareCase(StoreCase):
    """A queue whose three messages are some mebibytes apart in the log."""

    config = msgspec.structs.replace(
        SMALL,
        commit_log_file_size=4 << 20,
        consume_queue_file_size=20_000,
        window_size=1 << 20,
        message_index_enable=False,
    )

    def setUp(self) -> None:
        """Fill and close a store."""
        super().setUp()
        store = self.open()
        for number in range(3):
            store.put(draft(b"rare %d" % number), NOW)
            for _ in range(40):
                store.put(draft(bytes(64_000), topic=b"Busy"), NOW)
        self.successResultOf(store.close())
        self.file = self.path("consumequeue", TOPIC, "0", f"{0:020d}")

    def damage(self, number: int, place: int = 0, size: int = 0) -> None:
        """Flip bits of an entry."""
        with open(self.file, "r+b") as file:
            file.seek(number * 20)
            old = _ENTRY.unpack(file.read(20))
            file.seek(number * 20)
            file.write(_ENTRY.pack(old[0] ^ place, old[1] ^ size, old[2]))

    def bodies(
        self, store: MessageStore, thread: ManualThreads | None = None
    ) -> list[bytes]:
        """Read the queue."""
        at, found = 0, []
        while at < 3:
            fetched = store.get(TOPIC, 0, at, 32, 1 << 20, None)
            if isinstance(fetched, Deferred):
                assert thread is not None
                thread.run()
                fetched = self.successResultOf(fetched)
            found += [each.body for each in decode_all(fetched.data)]
            at = fetched.next_offset
        self.flushLoggedErrors()
        return found


class MendTests(RareCase):
    """What is served in spite of a damaged entry."""

    def test_one_bit(self) -> None:
        """However far its record is from the others', one wrong bit loses nothing."""
        self.patch(proof, "_FAR", 100_000)
        for damage in ({"place": 1 << 3}, {"place": 1 << 21}, {"size": 1 << 9}):
            self.damage(1, **damage)
            store = self.open()
            self.assertEqual(self.bodies(store), [b"rare 0", b"rare 1", b"rare 2"])
            self.successResultOf(store.close())

    def test_all_of_it(self) -> None:
        """The log is searched, with turns for the reactor between."""
        self.damage(1, 0x1234567, 0x7777)
        thread = ManualThreads()
        store = MessageStore(
            self.root, self.clock, self.config, run_read_in_thread=thread
        )
        self.finish(store.open())
        self.addCleanup(store.close)
        self.assertIsInstance(store.get(TOPIC, 0, 1, 1, 1 << 20, None), Deferred)
        self.assertEqual(self.bodies(store, thread), [b"rare 0", b"rare 1", b"rare 2"])

    def test_deleted_meanwhile(self) -> None:
        """A topic that is deleted during the search stays so."""
        self.damage(1, 0x1234567, 0x7777)
        thread = ManualThreads()
        store = MessageStore(
            self.root, self.clock, self.config, run_read_in_thread=thread
        )
        self.finish(store.open())
        self.addCleanup(store.close)
        fetched = store.get(TOPIC, 0, 1, 1, 1 << 20, None)
        store.delete_topic(TOPIC)
        thread.run()
        status = self.successResultOf(fetched).status
        self.assertNotEqual(status, FetchStatus.FOUND)
        self.assertEqual(store.queues(), {"Busy": [0]})
        self.assertNotIn(TOPIC, self.listed())

    def listed(self) -> list[str]:
        """List the directories of queues."""
        return os.listdir(self.path("consumequeue"))


class UnqueuedTests(StoreCase):
    """A half message with the same queue and queue offset as a readable one."""

    def setUp(self) -> None:
        """Fill and close a store: a half message is before the first of its queue."""
        super().setUp()
        store = self.open()
        self.half = store.put(draft(b"half", sys_flag=4), NOW)
        self.real = store.put(draft(b"real"), NOW)
        self.successResultOf(store.close())

    def repaired(self, commit_log_offset: int, size: int) -> int:
        """Repair another first entry; return the commit log offset that it gets."""
        store = self.open()
        queue = store._queues.find(TOPIC, 0)
        assert queue is not None
        queue.replace(0, commit_log_offset, size, 0)
        request = FetchRequest(0, 32, 1 << 20, None)
        found = store._reads.run(fetch(store._view, queue, request))
        assert not isinstance(found, Deferred)
        verification = Verification(
            log=store._log,
            queue=queue,
            queue_offset=0,
            found=found,
            is_filtered=False,
            delay_levels_ms=(),
        )
        self.assertTrue(store._reads.run(verification.repair()))
        self.flushLoggedErrors()
        entry = queue.entry(0)
        assert entry is not None
        return entry[0]

    def test_is_not_what_a_damaged_entry_is_repaired_with(self) -> None:
        """Nobody may read it, though the search meets it first."""
        real = self.real.commit_log_offset
        self.assertEqual(self.repaired(real + 1, 1), real)

    def test_is_not_what_an_entry_may_point_at(self) -> None:
        """Such an entry is damaged, and is repaired."""
        half = self.half
        found = self.repaired(half.commit_log_offset, half.size)
        self.assertEqual(found, self.real.commit_log_offset)
