"""Tests of the table of consume queues: finding, making, flushing and deleting."""

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues
from tests.store.cases import taken


class ConsumeQueuesTests(SynchronousTestCase):
    """Queues of four entries a file, in one directory."""

    def setUp(self) -> None:
        """Begin with none."""
        self.open_files = OpenFiles()
        self.addCleanup(self.open_files.close)
        self.directory = self.mktemp()
        self.queues = self.make()

    def make(self) -> ConsumeQueues:
        """Make another table of the same directory."""
        return ConsumeQueues(self.directory, 80, self.open_files)

    def filled(self, topic: bytes, queue_id: int, count: int = 3) -> ConsumeQueue:
        """Make a queue with entries of records of 100 bytes."""
        queue = self.queues.create(topic, queue_id)
        for number in range(count):
            queue.append(number * 100, 100, 0)
        self.queues.touch(queue)
        return queue

    def test_changed(self) -> None:
        """Queues with new entries are named once, however often they are written."""
        first, second = self.filled(b"T", 0), self.filled(b"T", 1)
        self.assertIsNone(self.queues.take_changed())
        self.queues.flush()
        self.assertEqual(list(self.queues.take_changed() or ()), [first, second])
        self.assertEqual(self.queues.take_changed(), {})
        self.filled(b"T", 1)
        self.assertEqual(list(self.queues.take_changed() or ()), [second])
        self.filled(b"T", 1)
        self.queues.flush()
        self.assertEqual(list(self.queues.take_changed() or ()), [second])
        self.assertEqual(self.queues.take_changed(), {})

    def test_changed_while_tails_are_written(self) -> None:
        """What comes between two steps of that is named after it, at the latest."""
        queues = [self.filled(b"T", number) for number in range(40)]
        self.queues.take_changed()
        steps = self.queues.flush_in_slices()
        next(steps)
        self.assertEqual(set(self.queues.take_changed() or ()), set(queues))
        queues[0].append(300, 100, 0)
        self.assertEqual(list(steps), [None] * 2)
        self.assertIn(queues[0], self.queues.take_changed() or ())

    def test_all_may_have_changed(self) -> None:
        """That is so where there are others, or all were looked at."""
        self.filled(b"T", 0)
        self.queues.take_changed()
        for change in (
            lambda: self.queues.create(b"T", 1),
            lambda: self.queues.delete_topic("T"),
            lambda: self.queues.truncate(0),
            lambda: self.queues.correct_min(0),
        ):
            self.assertIsNotNone(self.queues.take_changed())
            change()
            self.assertIsNone(self.queues.take_changed())

    def test_made_once(self) -> None:
        """The same queue is returned, and nothing is on disk before its entries."""
        queue = self.queues.create(b"T", 0)
        self.assertIs(self.queues.create(b"T", 0), queue)
        self.assertIs(self.queues.find("T", 0), queue)
        self.assertIsNone(self.queues.find("T", 1))
        self.assertFalse(os.path.exists(self.directory))

    def test_names_that_may_not_become_paths(self) -> None:
        """They are refused, and not in the table."""
        for topic, queue_id in ((b"../x", 0), (b"", 0), (b"T", -1)):
            self.assertRaises(IllegalTopic, self.queues.create, topic, queue_id)
        self.assertEqual(self.queues.table, {})

    def test_flush_writes_each_tail_once(self) -> None:
        """A queue is dirty from its first entry to the flush."""
        queues = [self.filled(b"T", 0), self.filled(b"T", 1)]
        self.queues.touch(queues[0])
        self.assertEqual(self.queues.dirty, queues)
        self.queues.flush()
        self.assertEqual(
            (self.queues.dirty, [q.tail for q in queues]), ([], [b"", b""])
        )
        self.queues.touch(queues[0])
        self.assertEqual(self.queues.dirty, queues[:1])

    def test_flushes_in_slices(self) -> None:
        """A step makes some files, or writes more tails; what is left stays dirty."""
        queues = [self.filled(b"T", number, 1) for number in range(60)]
        steps = self.queues.flush_in_slices()
        next(steps)
        self.assertEqual(sum(1 for queue in queues if queue.files.bases), 13)
        queues[-1].append(100, 100, 0)
        self.queues.touch(queues[-1])
        next(steps)
        steps.close()
        self.assertEqual(set(self.queues.dirty), {*queues[:34], queues[-1]})
        self.assertEqual(len(self.queues.dirty), 35)
        self.queues.flush()
        self.assertEqual(self.queues.dirty, [])
        self.assertEqual({queue.written for queue in queues}, {1, 2})

    def test_a_tail_that_cannot_be_written_stays_dirty(self) -> None:
        """And so do those behind it."""
        queues = [self.filled(b"T", number) for number in range(3)]
        os.mkdir(self.directory)
        with open(os.path.join(self.directory, "T"), "wb"):
            pass
        self.assertRaises(OSError, self.queues.flush)
        self.assertEqual(set(self.queues.dirty), set(queues))

    def test_found_again(self) -> None:
        """Directories become queues; other names are left alone."""
        self.filled(b"T", 10)
        self.filled(b"A", 2)
        self.queues.flush()
        os.mkdir(os.path.join(self.directory, "T", "backup"))
        with open(os.path.join(self.directory, "A", "7"), "wb"):
            pass
        other = self.make()
        found = [(queue.topic, queue.queue_id) for queue in other.found()]
        self.assertEqual(found, [(b"A", 2), (b"T", 10)])
        self.assertEqual(other.by_topic(), {"A": [2], "T": [10]})

    def test_known(self) -> None:
        """Those that have files, with their first and next offsets and their end."""
        self.filled(b"T", 0, 5)
        self.queues.create(b"T", 1)
        self.queues.flush()
        self.assertEqual(list(self.queues.known()), [KnownQueue(b"T", 0, 0, 5, 500)])
        self.assertEqual(self.queues.log_end(), 500)

    def test_truncate_and_correct_all(self) -> None:
        """Every queue loses what is behind, or before, an offset of the log."""
        queues = [self.filled(b"T", 0), self.filled(b"U", 0)]
        self.queues.flush()
        self.queues.truncate(200)
        self.assertEqual([queue.next for queue in queues], [2, 2])
        self.queues.correct_min(100)
        self.assertEqual([queue.min_offset for queue in queues], [1, 1])

    def test_deleted_topic(self) -> None:
        """Its queues, their files and their unwritten entries are gone."""
        self.filled(b"T", 0)
        kept = self.filled(b"TT", 0)
        self.queues.flush()
        self.filled(b"T", 1)
        changes = self.queues.changes
        taken(self.queues)
        self.queues.delete_topic("T")
        self.queues.removed.remove_all()
        self.assertEqual(list(self.queues.table.values()), [kept])
        self.assertEqual((self.queues.dirty, os.listdir(self.directory)), ([], ["TT"]))
        self.assertGreater(self.queues.changes, changes)
        self.assertEqual(taken(self.queues), {self.directory})

    def test_files_of_a_topic_created_again(self) -> None:
        """What an earlier queue of that name had is not removed with it."""
        queue = self.filled(b"T", 3)
        self.queues.flush()
        paths = [queue.files.path(0), queue.files.path(80)]
        self.assertEqual(self.queues.without_used(paths), paths[1:])
        self.queues.delete_topic("T")
        self.assertEqual(self.queues.without_used(paths), paths)

    def test_deleting_an_illegal_name(self) -> None:
        """Nothing outside is touched."""
        self.filled(b"T", 0)
        self.queues.flush()
        outside = self.mktemp()
        os.mkdir(outside)
        self.queues.delete_topic(f"../{os.path.basename(outside)}")
        self.queues.delete_topic("")
        self.assertTrue(os.path.isdir(outside))
        self.assertEqual(os.listdir(self.directory), ["T"])

    def test_files_to_flush(self) -> None:
        """Each file that was written is listed once."""
        queue = self.filled(b"T", 0)
        self.queues.flush()
        self.assertIn(queue.files.path(0), taken(self.queues))
        self.assertEqual(taken(self.queues), set())
