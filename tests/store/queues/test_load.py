"""Tests of loading consume queues: which are believed, and which are rebuilt."""

import os
import shutil

from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue, QueueCheckpoint
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ENTRY, EVERYTHING
from rocketmq_tw.store.queues.load import QueueLoading
from rocketmq_tw.store.queues.table import ConsumeQueues
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

#: Messages of the queue, of four entries a file.
COUNT = 6
KEY = (TOPIC.encode(), 0)


def known(following: int, log_end: int) -> KnownQueue:
    """Say where the queue is known to end."""
    return KnownQueue(TOPIC.encode(), 0, 0, following, log_end)


class LoadingCase(StoreCase):
    """A log and a queue of six messages, loaded by itself."""

    def setUp(self) -> None:
        """Store the messages, and let the queue be written."""
        super().setUp()
        self.store = self.open()
        for _ in range(COUNT):
            self.store.put(draft(), NOW)
        self.store._queues.flush()
        self.known = QueueCheckpoint(
            self.path("test.checkpoint"),
            log_file_size=1000,
            queue_file_size=80,
            disk=Disk(),
        )
        self.known.is_known = self.known.is_same_boot = True
        self.known.queues = [known(COUNT, self.store.commit_log_max)]

    def load(
        self,
        end: int | None = EVERYTHING,
        limit: int = EVERYTHING,
        was_aborted: bool = False,
    ) -> QueueLoading:
        """Load the queue's directory into another table."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.queues = ConsumeQueues(self.path("consumequeue"), 80, files)
        loading = QueueLoading(self.queues, self.store._log, self.known)
        for _ in loading.load(end, limit, was_aborted):
            pass
        return loading

    def write(self, number: int, offset: int, size: int = SIZE) -> None:
        """Overwrite an entry of the file."""
        base = number // 4 * 80
        with open(self.path("consumequeue", TOPIC, "0", f"{base:020d}"), "r+b") as file:
            file.seek(number * 20 - base)
            file.write(ENTRY.pack(offset, size, 0))


class LoadingTests(LoadingCase):
    """What is damaged is named, with the reason; no file is changed."""

    def test_whole(self) -> None:
        """A queue that ends as it is known to is neither damaged nor cut."""
        loading = self.load(self.store.commit_log_max)
        self.assertEqual((loading.damaged, loading.cut), ({}, []))
        self.assertEqual(self.queues.table[KEY].next, COUNT)

    def test_limit(self) -> None:
        """Entries of records from there on do not count."""
        self.load(None, 2 * SIZE)
        self.assertEqual(self.queues.table[KEY].next, 2)

    def test_last_entry_that_does_not_fit_the_log(self) -> None:
        """It points into a record, or gives another length."""
        self.known.queues = []
        for offset, size in ((4, SIZE), (5 * SIZE, SIZE + 1), (0, SIZE)):
            self.write(COUNT - 1, offset, size)
            why = self.load().damaged.get(KEY, "")
            self.assertIn("entry 5 does not match", why, offset)

    def test_known_entries_that_are_lacking(self) -> None:
        """A queue that ends too soon is rebuilt, if the log goes so far."""
        end = self.store.commit_log_max
        self.known.queues = [known(COUNT + 1, end)]
        self.assertIn("it ends at 6, but it had 7 entries", self.load(end).damaged[KEY])
        self.assertEqual(self.load(end - 1).damaged, {})

    def test_missing(self) -> None:
        """A queue that had entries and has no directory is made, and rebuilt."""
        shutil.rmtree(self.path("consumequeue"))
        self.assertEqual(self.load().damaged, {KEY: "it is missing"})
        self.assertIn(KEY, self.queues.table)

    def test_missing_where_nothing_is_known(self) -> None:
        """Without an end nothing is said to be missing."""
        shutil.rmtree(self.path("consumequeue"))
        self.assertEqual(self.load(None).damaged, {})

    def test_file_of_another_length(self) -> None:
        """It is damage where the queues are known, else perhaps the settings' fault."""
        os.truncate(self.path("consumequeue", TOPIC, "0", f"{0:020d}"), 60)
        self.assertIn(KEY, self.load().damaged)
        self.known.is_known = False
        self.assertRaises(StoreUnreadable, self.load, None)


class AbortedTests(LoadingCase):
    """After a crash it counts what stands behind the end."""

    def test_nothing(self) -> None:
        """A kill leaves pages as they were written."""
        loading = self.load(was_aborted=True)
        self.assertEqual((loading.damaged, loading.cut), ({}, []))

    def test_nothing_after_a_reboot(self) -> None:
        """A power cut may have saved a page further on: that is to be wiped."""
        self.known.is_same_boot = False
        loading = self.load(was_aborted=True)
        self.assertEqual((loading.damaged, len(loading.cut)), ({}, 1))

    def test_entry_behind_the_end(self) -> None:
        """One that fits the log is wiped; one that does not makes it damaged."""
        end = 5 * SIZE
        self.known.queues = [known(5, end)]
        loading = self.load(end, end, was_aborted=True)
        self.assertEqual((loading.damaged, len(loading.cut)), ({}, 1))
        self.write(5, end + 1)
        loading = self.load(end, end, was_aborted=True)
        self.assertIn("entry 5 does not match", loading.damaged[KEY])
