"""
Keeping the queue checkpoint up to date while the store runs.

It follows the flush service, which hands the queues' entries to the kernel every second
and to the disk every minute. The list of queues is written when one was made or
removed, and with every force: 8,000 queues take 10 ms.
"""

import os

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.queue_checkpoint import Place, QueueCheckpoint
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues


class QueueProgress:
    """
    Tells a queue checkpoint, ``known``, how far the queues are.

    With SYNC_FLUSH messages get their entries only once the log is on disk.
    """

    def __init__(
        self,
        root: str,
        log: CommitLog,
        queues: ConsumeQueues,
        config: StoreConfig,
        disk: Disk,
    ) -> None:
        """Follow log and queues of the store in ``root``."""
        sizes = (config.commit_log_file_size, config.consume_queue_file_bytes)
        path = os.path.join(root, "consumequeue.checkpoint")
        self.known = QueueCheckpoint(path, *sizes, disk)
        self._log = log
        self._queues = queues
        self._is_late = config.sync_flush
        self._begun = self._flushed = Place()
        self._listed = -1

    @property
    def paths(self) -> list[str]:
        """Return the files to force to disk."""
        return self.known.paths

    def begin(self) -> None:
        """
        Note what recovery found: the kernel has all of it.

        :raises OSError: the file system refuses.
        """
        self._flushed = self.known.forced
        self._doubt(self._flushed.end)
        self._begun = self.known.written = self._end()
        self._write_all()

    def _doubt(self, forced: int) -> None:
        """
        Let all be forced that an earlier run wrote since its last force.

        The kernel has it, the disk perhaps not; and what is told to be on disk next
        time covers it.
        """
        files = self._log.files
        behind = [base for base in files.bases if base + files.file_size > forced]
        files.dirty.update(files.path(base) for base in behind)
        if behind:
            files.dirty.add(files.directory)
        for queue in self._queues.table.values():
            if queue.log_end > forced:
                _doubt_queue(queue, forced)

    def log_flushed(self, end: int, last: int) -> None:
        """Note that the log is on disk up to ``end``."""
        self._flushed = Place(end, last)

    def handed_over(self) -> None:
        """
        Note that the kernel has the entries that were made.

        :raises OSError: the file system refuses.
        """
        self.known.written = self._end()
        if self._is_late:
            flushed = self._flushed.end > self._begun.end
            self.known.written = self._flushed if flushed else self._begun
        if self._listed != self._queues.changes:
            self._write_all()
        else:
            self.known.write()

    def taken(self) -> Place:
        """Return up to where all is on disk once the queues' files are."""
        return self._flushed

    def forced(self, place: Place) -> None:
        """
        Note that log and queues are on disk up to ``place``.

        What is written now is going to be forced too, so it tells no more than that.

        :raises OSError: the file system refuses.
        """
        self.known.forced = self.known.written = place
        self._write_all()

    def _end(self) -> Place:
        """Return the end of the log."""
        return Place(self._log.end, self._log.last_offset)

    def _write_all(self) -> None:
        """Write the list too."""
        changes = self._queues.changes
        self.known.write_all(self._queues.known())
        self._listed = changes


def _doubt_queue(queue: ConsumeQueue, forced: int) -> None:
    """Let a queue's files be forced that know records from ``forced`` on."""
    files = queue.files
    bases = [base for base in files.bases if base < queue.next * ENTRY_SIZE]
    while bases:
        base = bases.pop()
        files.dirty.add(files.path(base))
        if bases and queue.read_written_entry(base // ENTRY_SIZE)[0] < forced:
            break
    topic = os.path.dirname(files.directory)
    files.dirty.update((files.directory, topic, os.path.dirname(topic)))
