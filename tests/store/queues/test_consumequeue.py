"""Tests of consume queues."""

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue, entries
from rocketmq_tw.store.queues.table import ConsumeQueues
from tests.store.cases import taken


class ConsumeQueueTests(SynchronousTestCase):
    """The entries of one queue."""

    def setUp(self) -> None:
        """Make a queue with four entries a file."""
        self.files = OpenFiles()
        self.addCleanup(self.files.close)
        self.directory = self.mktemp()
        self.queue = self.make()

    def make(self) -> ConsumeQueue:
        """Make another queue of the same directory."""
        return ConsumeQueue(b"T", 0, self.directory, 80, self.files)

    def fill(self, count: int, first: int = 0) -> None:
        """Add entries of records of 100 bytes."""
        for number in range(first, first + count):
            self.queue.append(number * 100, 100, number)

    def loaded(self) -> ConsumeQueue:
        """Flush, and load in another queue."""
        self.queue.flush()
        other = self.make()
        other.load()
        return other

    def test_writes_the_original_s_entries(self) -> None:
        """The vector of the original's format is in the file."""
        self.queue.append(1 << 30, 123, 2598919)
        self.queue.flush()
        with open(self.queue.files.path(0), "rb") as file:
            data = file.read()
        entry = "00000000400000000000007b000000000027a807"
        self.assertEqual(data.hex(), entry.ljust(160, "0"))

    def test_reads_from_memory_and_files(self) -> None:
        """A reader does not see what is flushed already."""
        self.fill(6)
        self.queue.flush()
        self.fill(3, first=6)
        read = [self.queue.entry(number) for number in range(-1, 10)]
        expected = [(n * 100, 100, n) for n in range(9)]
        self.assertEqual(read, [None, *expected, None])
        self.assertEqual(len(list(entries(self.queue.read(2, 99)))), 2)

    def test_loads_its_end(self) -> None:
        """The first entry of size 0 ends a queue, wherever it stands."""
        for count in range(1, 10):
            self.fill(1, first=count - 1)
            other = self.loaded()
            self.assertEqual((other.next, other.log_end), (count, count * 100))
            self.assertEqual(other.min_offset, 0)

    def test_begins_in_the_middle_with_pre_blanks(self) -> None:
        """The file is filled up to the first entry, as the original does."""
        self.assertTrue(self.queue.put(6, 5000, 100, 1))
        blank = "00000000000000007fffffff0000000000000000"
        self.queue.flush()
        with open(self.queue.files.path(80), "rb") as file:
            self.assertEqual(file.read(40).hex(), blank * 2)
        other = self.loaded()
        other.correct_min(0)
        self.assertEqual((other.min_offset, other.next), (6, 7))

    def test_the_same_entry_again_is_nothing(self) -> None:
        """Recovery may meet what is there already."""
        self.fill(5)
        self.assertFalse(self.queue.put(3, 300, 100, 3))
        self.assertTrue(self.queue.put(5, 500, 100, 5))
        self.assertEqual(self.queue.next, 6)

    def test_a_gap_is_filled(self) -> None:
        """An entry keeps its place when some before it are lost."""
        self.fill(2)
        self.assertTrue(self.queue.put(5, 900, 100, 9))
        self.assertEqual(self.queue.entry(5), (900, 100, 9))
        self.assertEqual(self.queue.log_end, 1000)
        self.queue.correct_min(100)
        self.assertEqual(self.queue.min_offset, 1)

    def test_a_topic_created_again_begins_at_0(self) -> None:
        """Offset 0 behind later ones drops those of the deleted topic."""
        self.fill(5)
        self.assertTrue(self.queue.put(0, 900, 100, 9))
        self.assertEqual((self.queue.next, self.queue.min_offset), (1, 0))
        self.assertEqual(self.queue.entry(0), (900, 100, 9))

    def test_truncates_to_every_offset(self) -> None:
        """Entries of records from there on go, and stay gone."""
        for keep in range(9, -1, -1):
            self.queue.clear()
            self.fill(9)
            self.queue.truncate(keep * 100)
            other = self.loaded()
            self.assertEqual((self.queue.next, other.next), (keep, keep))
            self.assertEqual(other.log_end, keep * 100)

    def test_min_follows_the_log(self) -> None:
        """Entries of deleted records do not count."""
        self.fill(9)
        for log_min, expected in ((0, 0), (1, 1), (300, 3), (850, 9), (9999, 9)):
            self.queue.correct_min(log_min)
            self.assertEqual(self.queue.min_offset, expected)

    def test_an_empty_spare_file_is_passed_over(self) -> None:
        """A file without entries behind the last one does no harm."""
        self.fill(4)
        self.queue.files.create(80)
        self.assertEqual(self.loaded().next, 4)


class ConsumeQueuesTests(SynchronousTestCase):
    """The table of queues."""

    def setUp(self) -> None:
        """Make a table."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.directory = self.mktemp()
        self.queues = ConsumeQueues(self.directory, 80, files)

    def test_topics_that_may_not_be_paths(self) -> None:
        """No name leads out of the directory."""
        for topic in (
            b"..",
            b"a/b",
            b"",
            b"a.b",
            b"a\0",
            "\u00e9".encode(),
            b"t" * 256,
        ):
            self.assertRaises(IllegalTopic, self.queues.create, topic, 0)
        self.assertRaises(IllegalTopic, self.queues.create, b"T", -1)

    def test_topics_of_the_original(self) -> None:
        """Retry topics of both kinds are directories."""
        for topic in (b"%RETRY%g", b"%RETRY%g+t", b"a-b_c|d"):
            queue = self.queues.create(topic, 2)
            queue.append(0, 100, 0)
            queue.flush()
            self.assertTrue(os.path.isdir(f"{self.directory}/{topic.decode()}/2"))
        self.assertEqual(self.queues.by_topic()["%RETRY%g"], [2])

    def test_deletes_a_topic(self) -> None:
        """Its queues, its tails and its directory go; others stay."""
        for topic in (b"A", b"B"):
            queue = self.queues.create(topic, 0)
            queue.append(0, 100, 0)
            self.queues.dirty.append(queue)
        self.queues.flush()
        taken(self.queues)
        self.queues.delete_topic("A")
        self.queues.removed.remove_all()
        self.assertEqual(self.queues.by_topic(), {"B": [0]})
        self.assertEqual(os.listdir(self.directory), ["B"])
        self.assertIn(self.directory, taken(self.queues))
        self.assertNotIn(self.directory, taken(self.queues))
