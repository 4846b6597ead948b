"""
All consume queues of a store, by topic and queue id.

They live in ``consumequeue/<topic>/<queue id>/``. Source: ``ConsumeQueueStore``.
"""

import os
import shutil
from collections.abc import Iterator

from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.log.limits import LEGAL_TOPIC, check_queue
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, TAIL_LIMIT, ConsumeQueue


class ConsumeQueues:
    """
    The table of queues.

    ``table`` is read on the path of every message; only this class writes to it.
    """

    def __init__(self, directory: str, file_size: int, files: OpenFiles) -> None:
        """Use files below ``directory``; nothing is read yet."""
        self.table: dict[tuple[bytes, int], ConsumeQueue] = {}
        #: Queues with entries in memory that are not written yet.
        self.dirty: list[ConsumeQueue] = []
        #: Counts queues added and removed, and files removed.
        self.changes = 0
        self.directory = directory
        self._file_size = file_size
        self._files = files
        #: Directories whose entries changed and that have to be flushed.
        self._changed: set[str] = set()

    def found(self) -> Iterator[ConsumeQueue]:
        """Add and yield the queues that have directories; none is loaded yet."""
        if not os.path.isdir(self.directory):
            return
        for topic in sorted(_directories(self.directory)):
            below = os.path.join(self.directory, topic)
            for queue_id in sorted(_directories(below)):
                if queue_id.isdigit():
                    yield self._add(os.fsencode(topic), int(queue_id))

    def create(self, topic: bytes, queue_id: int) -> ConsumeQueue:
        """
        Return a queue, adding it if needed; its files are created with its first entry.

        :raises IllegalTopic: the name contains characters not allowed in a path.
        """
        queue = self.table.get((topic, queue_id))
        if queue is not None:
            return queue
        check_queue(topic, queue_id)
        return self._add(topic, queue_id)

    def find(self, topic: str, queue_id: int) -> ConsumeQueue | None:
        """Return a queue, or None if it does not exist."""
        return self.table.get((topic.encode(), queue_id))

    def by_topic(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic, in order."""
        found: dict[str, list[int]] = {}
        for topic, queue_id in sorted(self.table):
            found.setdefault(topic.decode("utf-8", "replace"), []).append(queue_id)
        return found

    def known(self) -> list[KnownQueue]:
        """Return the ends of the queues that have files; call :meth:`flush` first."""
        return [
            KnownQueue(
                queue.topic,
                queue.queue_id,
                queue.files.bases[0] // ENTRY_SIZE,
                queue.next,
                queue.log_end,
            )
            for queue in self.table.values()
            if queue.files.bases
        ]

    def log_end(self) -> int:
        """Return the end of the newest record that has an entry in any queue."""
        return max((queue.log_end for queue in self.table.values()), default=0)

    def truncate(self, log_offset: int) -> None:
        """Drop the entries whose records begin at ``log_offset`` or later."""
        for queue in self.table.values():
            queue.truncate(log_offset)

    def correct_min(self, log_min: int) -> None:
        """Advance the queues' first offsets to the minimum of the commit log."""
        for queue in self.table.values():
            queue.correct_min(log_min)

    def touch(self, queue: ConsumeQueue) -> None:
        """Register a tail to be written by the timer, or write it now if it is long."""
        if queue.tail_limit == 0:
            queue.tail_limit = TAIL_LIMIT
            self.dirty.append(queue)
        if len(queue.tail) > TAIL_LIMIT:
            try:
                queue.flush()
            except OSError:
                return  # the tail is kept; the timer reports the same error
            queue.tail_limit = TAIL_LIMIT

    def flush(self) -> None:
        """
        Write all tails, without an fsync.

        :raises OSError: the queues not yet written stay dirty.
        """
        while self.dirty:
            self.dirty[-1].flush()
            self.dirty.pop()

    def take_dirty(self) -> list[str]:
        """Return the paths to flush, and clear the sets."""
        paths = sorted(self._changed)
        self._changed.clear()
        for queue in self.table.values():
            if queue.files.dirty:
                paths += queue.files.take_dirty()
        return paths

    def delete_topic(self, topic: str) -> None:
        """Remove a topic's queues and their files."""
        raw = topic.encode()
        self.changes += 1
        for key in [key for key in self.table if key[0] == raw]:
            queue = self.table.pop(key)
            queue.clear()
            if queue in self.dirty:
                self.dirty.remove(queue)
        path = os.path.join(self.directory, topic)
        if LEGAL_TOPIC.fullmatch(raw) and os.path.isdir(path):
            shutil.rmtree(path)
            self._changed.add(self.directory)

    def _add(self, topic: bytes, queue_id: int) -> ConsumeQueue:
        """Add a queue to the table."""
        directory = os.path.join(self.directory, os.fsdecode(topic), str(queue_id))
        queue = ConsumeQueue(topic, queue_id, directory, self._file_size, self._files)
        self.table[topic, queue_id] = queue
        self.changes += 1
        return queue


def _directories(path: str) -> list[str]:
    """Return the names of the directories in a directory."""
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]
