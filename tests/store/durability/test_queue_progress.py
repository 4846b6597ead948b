"""Tests of what is forced to disk after a kill."""

from __future__ import annotations

import os

from rocketmq_tw.store.files.disk import Disk
from tests.store.cases import NOW, TOPIC, StoreCase, draft


class RecordingDisk(Disk):
    """Remembers what was forced to it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.forced: set[str] = set()

    def sync(self, descriptor: int) -> None:
        """Note the path."""
        self.forced.add(os.readlink(f"/proc/self/fd/{descriptor}"))

    def sync_file(self, descriptor: int) -> None:
        """Do as :meth:`sync`."""
        self.sync(descriptor)


class KilledTests(StoreCase):
    """What a killed process handed to the kernel is perhaps not on the disk."""

    def forced_after(self, root: str) -> set[str]:
        """Open a store, let it force everything; tell which files that were."""
        disk = RecordingDisk()
        store = self.open(root, disk)
        self.clock.pump([1.0] * 61)
        self.successResultOf(store.close())
        start = f"{os.path.realpath(root)}/"
        return {path.removeprefix(start) for path in disk.forced}

    def test_all_since_the_last_force(self) -> None:
        """Log and queues, with the directories that name their files."""
        store = self.open()
        for number in range(40):
            store.put(draft(b"%05d" % number, queue_id=number % 2), NOW)
        store._queues.flush()
        forced = self.forced_after(self.kill())
        for name in self.names(store):
            self.assertIn(name, forced)
        self.assertIn(f"consumequeue/{TOPIC}/0", forced)
        self.assertIn(f"consumequeue/{TOPIC}", forced)

    def test_not_what_was_forced(self) -> None:
        """Files that were complete by then are left in peace."""
        store = self.open()
        for number in range(40):
            store.put(draft(b"%05d" % number, queue_id=number % 2), NOW)
        self.clock.pump([1.0] * 61)
        before = self.names(store)
        store.put(draft(), NOW)
        store._queues.flush()
        forced = self.forced_after(self.kill())
        self.assertIn(f"consumequeue/{TOPIC}/0/{400:020d}", forced)
        self.assertIn(f"commitlog/{4000:020d}", forced)
        old = {name for name in before if name in forced}
        self.assertLessEqual(len(old), 3, old)

    def names(self, store: object) -> list[str]:
        """List the files of log and queues."""
        queues = store._queues.table.values()  # type: ignore[attr-defined]
        every = [store._log.files, *(queue.files for queue in queues)]  # type: ignore[attr-defined]
        paths = [files.path(base) for files in every for base in files.bases]
        return [path.removeprefix(f"{self.root}/") for path in paths]


class ListTests(StoreCase):
    """When the list of queues is written."""

    def lists(self, queues: int) -> int:
        """Add queues, a few each second; count the files that are replaced."""
        disk = RenamingDisk()
        store = self.open(disk=disk)
        disk.renamed.clear()
        for number in range(queues):
            store.put(draft(topic=b"T%d" % number), NOW)
            self.clock.pump([1.0, 0.0, 0.0])
        return sum(path.endswith("consumequeue.checkpoint") for path in disk.renamed)

    def test_queues_that_are_added(self) -> None:
        """It is not written for each, so that each costs the same."""
        self.assertLess(self.lists(50), 35)

    def test_topic_that_is_deleted(self) -> None:
        """It is written at once, so that nothing is missing at the next start."""
        disk = RenamingDisk()
        store = self.open(disk=disk)
        store.put(draft(), NOW)
        self.clock.pump([1.0, 0.0, 0.0])
        disk.renamed.clear()
        self.successResultOf(store.delete_topic(TOPIC))
        self.assertIn(self.path("consumequeue.checkpoint"), disk.renamed)


class RenamingDisk(RecordingDisk):
    """Remembers what was replaced too."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.renamed: list[str] = []

    def rename(self, path: str, to: str) -> None:
        """Note the path."""
        self.renamed.append(to)
        super().rename(path, to)
