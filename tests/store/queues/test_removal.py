"""Tests of removing the queues of deleted topics: what is done when, and by whom."""

import os

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.removal import RemovalService, RemovedTopics
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, TOPIC, StoreCase, draft

#: As many as need several slices to be written.
QUEUES = 60


class CountingDisk(Disk):
    """Counts the files of queues that it makes and removes."""

    def __init__(self) -> None:
        """Begin with none."""
        self.made = self.removed = 0

    def create(self, path: str, size: int) -> None:
        """Count and make."""
        self.made += "consumequeue/" in path
        super().create(path, size)

    def remove(self, path: str) -> None:
        """Count and remove."""
        self.removed += "consumequeue/" in path
        super().remove(path)


class DeletedTopicTests(StoreCase):
    """A store with many queues of one topic, and threads that the test runs."""

    def setUp(self) -> None:
        """Store a message in each queue."""
        super().setUp()
        self.disk, self.threads = CountingDisk(), ManualThreads(held=False)
        self.store = self.open(disk=self.disk, run_in_thread=self.threads)
        self.fill()
        self.clock.pump([1.0] * 4)
        self.threads.hold()
        self.addCleanup(self.threads.release)

    def fill(self, body: bytes = b"old") -> None:
        """Store a message in each queue."""
        for number in range(QUEUES):
            self.store.put(draft(body, queue_id=number), NOW)

    def bodies(self, store: MessageStore, queue_id: int = 0) -> list[bytes]:
        """Read a queue."""
        fetched = store.get(TOPIC, queue_id, 0, 32, 1 << 20, None)
        return [each.body for each in decode_all(fetched.data)]

    def left(self, root: str) -> list[str]:
        """List what is below the directory of the queues."""
        return sorted(os.listdir(os.path.join(root, "consumequeue")))

    def test_no_file_is_removed_by_the_reactor(self) -> None:
        """The topic is gone at once; a thread unlinks its files."""
        deleted = self.store.delete_topic(TOPIC)
        self.successResultOf(deleted)
        self.assertEqual((self.store.queues(), self.disk.removed), ({}, 0))
        self.threads.run()
        self.assertEqual((self.disk.removed, self.left(self.root)), (QUEUES, []))

    def test_created_again_meanwhile(self) -> None:
        """The new queues begin at 0, and lose nothing when the old files go."""
        self.successResultOf(self.store.delete_topic(TOPIC))
        self.store.put(draft(b"new"), NOW)
        self.clock.pump([1.0] * 2)
        self.threads.release()
        self.assertEqual(self.bodies(self.store), [b"new"])
        for store in (self.open(self.kill()), self.reopen(self.store)):
            self.assertEqual(store.queues(), {TOPIC: [0]})
            self.assertEqual(self.bodies(store), [b"new"])

    def test_deleted_twice_before_a_thread_runs(self) -> None:
        """Both are removed, the second while the first is."""
        self.store.delete_topic(TOPIC)
        self.fill(b"new")
        self.clock.pump([1.0] * 4)
        self.store.delete_topic(TOPIC)
        self.threads.run()
        self.assertEqual((self.disk.removed, self.left(self.root)), (2 * QUEUES, []))

    def test_killed_in_the_middle(self) -> None:
        """Nothing comes back; the next start removes what is left."""
        self.successResultOf(self.store.delete_topic(TOPIC))
        copy = self.kill()
        store = self.open(copy)
        self.assertEqual((store.queues(), self.left(copy)), ({}, []))
        self.assertEqual(store.commit_log_max, self.store.commit_log_max)

    def test_stopped_in_the_middle(self) -> None:
        """A stop does not wait for the files; the next start removes them."""
        self.store.delete_topic(TOPIC)
        closed = self.store.close()
        self.threads.run()
        self.successResultOf(closed)
        self.assertEqual(self.disk.removed, 0)
        self.assertEqual(self.open().queues(), {})
        self.assertEqual(self.left(self.root), [])

    def test_first_messages_get_their_files_in_slices(self) -> None:
        """A reactor iteration makes at most 13 of them."""
        self.threads.release()
        self.store.put(draft(topic=b"Other"), NOW)
        self.clock.advance(1)
        before = self.disk.made
        for number in range(1, QUEUES):
            self.store.put(draft(topic=b"Other", queue_id=number), NOW)
        written = self.store._flush.write_queues()
        self.assertEqual(self.disk.made - before, 13)
        self.assertNoResult(written)
        self.clock.advance(0)
        self.successResultOf(written)
        self.assertEqual(self.disk.made - before, QUEUES - 1)


class RemovedTopicsTests(StoreCase):
    """Directories that are moved aside."""

    def setUp(self) -> None:
        """Begin with none."""
        super().setUp()
        self.removed = RemovedTopics(self.root, Disk())

    def topic(self, name: str) -> str:
        """Make the directory of a topic, with one file."""
        os.makedirs(self.path(name, "0"))
        with open(self.path(name, "0", "file"), "wb"):
            pass
        return self.path(name)

    def test_names_of_an_earlier_run_are_kept(self) -> None:
        """What it left does not stand in the way."""
        self.removed.take(self.topic("A"))
        other = RemovedTopics(self.root, Disk())
        other.take(self.topic("A"))
        self.assertEqual(len(os.listdir(other.directory)), 2)
        other.remove_all()
        self.assertEqual(os.listdir(self.root), [])

    def test_a_missing_directory(self) -> None:
        """It is an error, not a loop."""
        self.assertRaises(FileNotFoundError, self.removed.take, self.path("none"))

    def test_nothing_to_remove(self) -> None:
        """Is no error."""
        self.removed.remove_all()

    def test_a_failure_is_logged(self) -> None:
        """In one line; nothing fails because of it."""
        threads = ManualThreads()
        service = RemovalService(self.removed, threads)
        self.removed.take(self.topic("A"))
        threads.fail_with(OSError("broken"))
        service.start()
        threads.run()
        threads.fail_with(None)
        service.start()
        threads.run()
        self.assertEqual(os.listdir(self.root), [])
