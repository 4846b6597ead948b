"""
Keeping the queue checkpoint up to date while the store runs.

It follows the flush service, which writes the queues' entries every second
and flushes them every minute. The list of queues is written when one was made or
removed, and with every flush: 8,000 queues take 10 ms.
"""

import os

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition, QueueCheckpoint
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues


class QueueProgress:
    """
    Keeps a queue checkpoint, ``known``, in step with the queues.

    With SYNC_FLUSH messages get their entries only once the log is on disk.
    """

    def __init__(
        self,
        *,
        path: str,
        log: CommitLog,
        queues: ConsumeQueues,
        config: StoreConfig,
        disk: Disk,
    ) -> None:
        """Follow ``log`` and ``queues``, and keep the queue checkpoint at ``path``."""
        self.known = QueueCheckpoint(
            path,
            log_file_size=config.commit_log_file_size,
            queue_file_size=config.consume_queue_file_bytes,
            disk=disk,
        )
        self._log = log
        self._queues = queues
        self._is_deferred = config.sync_flush
        self._begun = self._flushed = LogPosition()
        self._listed = -1

    @property
    def paths(self) -> list[str]:
        """Return the files to flush."""
        return self.known.paths

    def begin(self) -> None:
        """
        Note what recovery found: the kernel has all of it.

        :raises OSError: the file system refuses.
        """
        self._flushed = self.known.flushed
        self._mark_unsynced(self._flushed.end)
        self._begun = self.known.written = self._end()
        self._write_all()

    def _mark_unsynced(self, flushed: int) -> None:
        """
        Mark what an earlier run wrote since its last flush as not on disk.

        The kernel has it, the disk perhaps not; and what is noted as flushed next
        time covers it.
        """
        files = self._log.files
        behind = [base for base in files.bases if base + files.file_size > flushed]
        files.dirty.update(files.path(base) for base in behind)
        if behind:
            files.dirty.add(files.directory)
        for queue in self._queues.table.values():
            if queue.log_end > flushed:
                _mark_queue_unsynced(queue, flushed)

    def log_flushed(self, position: LogPosition) -> None:
        """Note that the log is on disk up to ``position``."""
        self._flushed = position

    def queues_written(self) -> None:
        """
        Note that the entries that were made are written.

        :raises OSError: the file system refuses.
        """
        self.known.written = self._end()
        if self._is_deferred:
            flushed = self._flushed.end > self._begun.end
            self.known.written = self._flushed if flushed else self._begun
        if self._listed != self._queues.changes:
            self._write_all()
        else:
            self.known.write()

    def taken(self) -> LogPosition:
        """Return up to where all is on disk once the queues' files are."""
        return self._flushed

    def queues_flushed(self, position: LogPosition) -> None:
        """
        Note that log and queues are on disk up to ``position``.

        What is written now is going to be flushed too, so it says no more than that.

        :raises OSError: the file system refuses.
        """
        self.known.flushed = self.known.written = position
        self._write_all()

    def _end(self) -> LogPosition:
        """Return the end of the log."""
        return LogPosition(self._log.end, self._log.last_offset)

    def _write_all(self) -> None:
        """Write the list too."""
        changes = self._queues.changes
        self.known.write_all(self._queues.known())
        self._listed = changes


def _mark_queue_unsynced(queue: ConsumeQueue, flushed: int) -> None:
    """Mark the files of a queue that has records from ``flushed`` on."""
    files = queue.files
    bases = [base for base in files.bases if base < queue.next * ENTRY_SIZE]
    while bases:
        base = bases.pop()
        files.dirty.add(files.path(base))
        if bases and queue.read_written_entry(base // ENTRY_SIZE)[0] < flushed:
            break
    topic = os.path.dirname(files.directory)
    files.dirty.update((files.directory, topic, os.path.dirname(topic)))
