"""
All consume queues of a store, by topic and queue id.

They live in ``consumequeue/<topic>/<queue id>/``. Source: ``ConsumeQueueStore``.
"""

import os
from collections.abc import Collection, Iterator, Mapping

from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.log.limits import LEGAL_TOPIC, check_queue
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, TAIL_LIMIT, ConsumeQueue
from rocketmq_tw.store.queues.removal import RemovedTopics

#: Tails written in one reactor iteration, where a queue that gets its first file and
#: its directory counts as several: some 2 ms.
_TAILS = 200
_NEW_FILE = 16
#: Queues whose dirty files are collected in one reactor iteration: at most 4 ms.
_LOOKED_AT = 2000


class ConsumeQueues:
    """
    The table of queues.

    ``table`` is read on the path of every message; only this class writes to it.
    ``removed`` holds the files of deleted topics.
    """

    def __init__(self, directory: str, file_size: int, files: OpenFiles) -> None:
        """Use files below ``directory``; nothing is read yet."""
        self.table: dict[tuple[bytes, int], ConsumeQueue] = {}
        #: Queues with entries in memory that are not written yet.
        self.dirty: list[ConsumeQueue] = []
        #: Counts queues added.
        self.added = 0
        #: Counts topics deleted, and files removed.
        self.changes = 0
        self.directory = directory
        self._file_size = file_size
        self._files = files
        #: Directories whose entries changed and that have to be flushed.
        self._changed: set[str] = set()
        #: Queues that may have changed since somebody asked; None while all may have.
        self._noted: dict[ConsumeQueue, None] | None = None
        #: The queue ids of each topic, so that none has to be searched.
        self._ids: dict[bytes, list[int]] = {}
        self.removed = RemovedTopics(directory, files.disk)

    def found(
        self, known: Mapping[bytes, Collection[int]] | None = None
    ) -> Iterator[ConsumeQueue]:
        """
        Add and yield the queues that have directories; none is loaded yet.

        :param known: the queue ids that each topic should have; a directory with so
            many in it is not listed.
        """
        if not os.path.isdir(self.directory):
            return
        known = known or {}
        for topic in sorted(_directories(self.directory)):
            raw = os.fsencode(topic)
            below = f"{self.directory}/{topic}"
            ids: Collection[int] = known.get(raw, ())
            if not ids or _count_directories(below) != len(ids):
                names = sorted(_directories(below))
                ids = [int(name) for name in names if name.isdigit()]
            for queue_id in ids:
                yield self._add(raw, queue_id)

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

    def of_topic(self, topic: str | None) -> list[ConsumeQueue]:
        """Return the queues of a topic; those of all topics for None."""
        if topic is None:
            return list(self.table.values())
        raw = topic.encode()
        return [self.table[raw, each] for each in self._ids.get(raw, ())]

    def by_topic(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic, in order."""
        found: dict[str, list[int]] = {}
        for topic, queue_id in sorted(self.table):
            found.setdefault(topic.decode("utf-8", "replace"), []).append(queue_id)
        return found

    def known(self) -> Iterator[KnownQueue]:
        """
        Iterate over the ends of the queues that have files.

        Call :meth:`flush` first. Messages may be stored between two steps: they count
        where the records behind a position of the log are ignored.
        """
        for queue in list(self.table.values()):
            if queue.files.bases:
                yield KnownQueue(
                    queue.topic,
                    queue.queue_id,
                    queue.files.bases[0] // ENTRY_SIZE,
                    queue.next,
                    queue.log_end,
                )

    def log_end(self) -> int:
        """Return the end of the newest record that has an entry in any queue."""
        return max((queue.log_end for queue in self.table.values()), default=0)

    def take_changed(self) -> Collection[ConsumeQueue] | None:
        """
        Return the queues whose numbers may have changed since the last call.

        A queue that has changed is dirty until its tail is written, and noted then, so
        that this costs nothing on the path of a message.

        :returns: None if all may have, or if there are others than before.
        """
        noted, self._noted = self._noted, {}
        return None if noted is None else noted | dict.fromkeys(self.dirty)

    def note(self, queue: ConsumeQueue) -> None:
        """Remember that a queue may have changed which is not dirty."""
        if self._noted is not None:
            self._noted[queue] = None

    def note_all(self) -> None:
        """Remember that all queues may have changed, or that others are there."""
        self._noted = None

    def truncate(self, log_offset: int) -> None:
        """Drop the entries whose records begin at ``log_offset`` or later."""
        self.note_all()
        for queue in self.table.values():
            queue.truncate(log_offset)

    def correct_min(self, log_min: int) -> None:
        """Advance the queues' first offsets to the minimum of the commit log."""
        self.note_all()
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

    def without_used(self, paths: list[str]) -> list[str]:
        """Leave out files that a queue has: one of a topic that was created again."""
        return [path for path in paths if not self._is_used(path)]

    def flush(self) -> None:
        """
        Write all tails, without an fsync.

        :raises OSError: the queues not yet written stay dirty.
        """
        for _ in self.flush_in_slices():
            pass

    def flush_in_slices(self) -> Iterator[None]:
        """
        Do as :meth:`flush` with the tails there are now, some at each step.

        Those not yet written stay dirty too where not all steps are taken.
        """
        due, self.dirty = self.dirty, []
        if self._noted is not None:
            self._noted.update(dict.fromkeys(due))
        done = 0
        try:
            while due:
                queue = due[-1]
                done += 1 if queue.files.bases else _NEW_FILE
                queue.flush()
                self.note(due.pop())
                if done >= _TAILS and due:
                    done = 0
                    yield
        finally:
            self.dirty += due

    def take_dirty(self, paths: set[str]) -> Iterator[None]:
        """
        Move the paths to flush into ``paths``, in slices.

        What becomes dirty between two of them is flushed now or the next time.
        """
        paths |= self._changed
        self._changed.clear()
        for number, queue in enumerate(list(self.table.values())):
            if queue.files.dirty:
                paths.update(queue.files.take_dirty())
            if number % _LOOKED_AT == _LOOKED_AT - 1:
                yield

    def delete_topic(self, topic: str) -> bool:
        """
        Remove a topic's queues, and move their files to :attr:`removed`.

        :returns: whether there were any.
        :raises OSError: they could not be moved; the topic is as it was.
        """
        raw = topic.encode()
        path = os.path.join(self.directory, topic)
        has_files = LEGAL_TOPIC.fullmatch(raw) is not None and os.path.isdir(path)
        if not has_files and raw not in self._ids:
            return False
        if has_files:
            self.removed.take(path)
            self._changed.add(self.directory)
        self.changes += 1
        self.note_all()
        self._files.forget_below(path)
        for queue_id in self._ids.pop(raw, ()):
            self.table.pop((raw, queue_id)).forget()
        self.dirty = [queue for queue in self.dirty if queue.topic != raw]
        return True

    def _is_used(self, path: str) -> bool:
        """Return whether a queue has the file at a path."""
        directory, _, base = path.rpartition("/")
        below, queue_id = os.path.split(directory)
        queue = self.table.get((os.fsencode(os.path.basename(below)), int(queue_id)))
        return queue is not None and queue.files.has(int(base))

    def _add(self, topic: bytes, queue_id: int) -> ConsumeQueue:
        """Add a queue to the table."""
        directory = f"{self.directory}/{os.fsdecode(topic)}/{queue_id}"
        queue = ConsumeQueue(topic, queue_id, directory, self._file_size, self._files)
        if (topic, queue_id) not in self.table:
            self._ids.setdefault(topic, []).append(queue_id)
        self.table[topic, queue_id] = queue
        self.added += 1
        self.note_all()
        return queue


def _count_directories(path: str) -> int:
    """
    Return how many directories a directory holds: 2 us; below zero if unknown.

    Each has a link to it, in most file systems.
    """
    return os.stat(path).st_nlink - 2


def _directories(path: str) -> list[str]:
    """Return the names of the directories in a directory."""
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]
