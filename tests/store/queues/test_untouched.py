"""Tests of loading queues that are as the queue checkpoint says."""

from __future__ import annotations

import os

import msgspec

from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ENTRY, PRE_BLANK_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.untouched import load_untouched
from tests.store.cases import NOW, SMALL, TOPIC, StoreCase, draft
from tests.store.disks import FaultyDisk

#: Entries of the queue, whose file holds ten.
COUNT = 6
SIZE = 100
KNOWN = KnownQueue(b"T", 0, 0, COUNT, COUNT * SIZE)


class LoadUntouchedTests(StoreCase):
    """What is as it is known to be is believed, anything else is not loaded."""

    def setUp(self) -> None:
        """Write a queue."""
        super().setUp()
        self.files = OpenFiles()
        self.addCleanup(self.files.close)
        queue = self.queue()
        for number in range(COUNT):
            queue.append(number * SIZE, SIZE, 0)
        queue.flush()

    def queue(self) -> ConsumeQueue:
        """Make the queue, not loaded."""
        return ConsumeQueue(b"T", 0, os.path.join(self.root, "0"), 200, self.files)

    def write(self, number: int, offset: int, size: int = SIZE) -> None:
        """Overwrite an entry of the file."""
        with open(os.path.join(self.root, "0", f"{0:020d}"), "r+b") as file:
            file.seek(number * ENTRY.size)
            file.write(ENTRY.pack(offset, size, 0))

    def is_loaded(self, known: KnownQueue = KNOWN, log_min: int = 0) -> bool:
        """Look whether it is loaded."""
        queue = self.queue()
        is_loaded = load_untouched(queue, known, log_min)
        self.assertEqual(queue.next, known.next if is_loaded else 0)
        return is_loaded

    def test_as_a_search_finds_it(self) -> None:
        """All numbers are those that a thorough loading finds."""
        fast, slow = self.queue(), self.queue()
        self.assertTrue(load_untouched(fast, KNOWN, 0))
        slow.load()
        for name in ("next", "written", "min_offset", "log_end", "unverified_end"):
            self.assertEqual(getattr(fast, name), getattr(slow, name), name)
        self.assertEqual(fast.files.bases, slow.files.bases)
        self.assertEqual(fast.entry(COUNT - 1), (500, SIZE, 0))

    def test_another_end(self) -> None:
        """Entries were added or lost, or the last one is another."""
        self.assertFalse(self.is_loaded(msgspec.structs.replace(KNOWN, next=COUNT - 1)))
        self.assertFalse(self.is_loaded(msgspec.structs.replace(KNOWN, next=COUNT + 1)))
        self.assertFalse(self.is_loaded(msgspec.structs.replace(KNOWN, log_end=601)))
        self.write(COUNT - 1, 0, PRE_BLANK_SIZE)
        self.assertFalse(self.is_loaded())

    def test_first_entries_that_are_gone(self) -> None:
        """The minimum has to be searched then."""
        self.assertFalse(self.is_loaded(log_min=1))
        self.write(0, 0, PRE_BLANK_SIZE)
        self.assertFalse(self.is_loaded())

    def test_other_files(self) -> None:
        """Where there is more than one, none, or one of another length."""
        self.assertFalse(self.is_loaded(msgspec.structs.replace(KNOWN, next=10)))
        self.assertFalse(self.is_loaded(msgspec.structs.replace(KNOWN, first=10)))
        path = os.path.join(self.root, "0", f"{0:020d}")
        os.truncate(path, 220)
        self.assertFalse(self.is_loaded())
        os.unlink(path)
        self.assertFalse(self.is_loaded())


class ManyQueuesTests(StoreCase):
    """The work of opening a store with many queues."""

    config = msgspec.structs.replace(SMALL, commit_log_file_size=100_000)

    def test_each_file_is_opened_once(self) -> None:
        """After a stop in good order, for 500 queues."""
        store = self.open()
        for number in range(500):
            store.put(draft(queue_id=number), NOW)
        closed = store.close()
        self.clock.pump([0.0] * 100)
        self.successResultOf(closed)
        disk = FaultyDisk()
        again = self.open(disk=disk)
        self.assertLess(disk.calls["open"], 500 + 20)
        self.assertEqual(again.max_offset(TOPIC, 499), 1)
        self.assertEqual(again.min_offset(TOPIC, 499), 0)

    def test_queue_that_the_checkpoint_does_not_list(self) -> None:
        """It is found all the same beside those that it lists."""
        store = self.open()
        store.put(draft(), NOW)
        self.successResultOf(store.close())
        os.mkdir(self.path("consumequeue", TOPIC, "7"))
        again = self.open()
        self.assertIn((TOPIC.encode(), 7), again._queues.table)
