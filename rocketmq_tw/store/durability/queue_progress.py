"""
Keeps the queue checkpoint up to date while the store runs.

The flush service calls it whenever it has written or flushed the queue entries. The
list of queues is written when one was removed, and with every flush, in slices: 8,000
queues take 10 ms. Queues that were added since may be missing in it, as their entries
are checked against the log; so it is written for a tenth of new ones, not for each.
"""

import os
from collections.abc import Iterator

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition, QueueCheckpoint
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues

#: The list is written again when one of so many queues is new.
_PART = 10


class QueueProgress:
    """
    Updates the queue checkpoint, ``known``, as entries are written and flushed.

    With SYNC_FLUSH messages get their queue entries only after the fsync of the log.
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
        """Track ``log`` and ``queues`` in the queue checkpoint at ``path``."""
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
        self._listed_added = 0

    @property
    def paths(self) -> list[str]:
        """Return the paths of the checkpoint files, to be flushed."""
        return self.known.paths

    def begin(self) -> Iterator[None]:
        """
        Record, in slices, what recovery found: all of it is in the page cache.

        :raises OSError: the checkpoint could not be written.
        """
        self._flushed = self.known.flushed
        self._mark_unsynced(self._flushed.end)
        self._begun = self.known.written = self._end()
        yield from self._write_all()

    def _mark_unsynced(self, flushed: int) -> None:
        """
        Mark the files that an earlier run wrote since its last flush as dirty.

        Their bytes are in the page cache but perhaps not on disk, and the next flushed
        position is going to cover them.
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
        """Record that the log is on disk up to ``position``."""
        self._flushed = position

    def write_target(self) -> LogPosition:
        """
        Return the position up to which all entries are written once those are that
        exist now.
        """
        if not self._is_deferred:
            return self._end()
        return self._flushed if self._flushed.end > self._begun.end else self._begun

    def queues_written(self, position: LogPosition) -> Iterator[None]:
        """
        Record, in slices, that all entries up to a position are written.

        :raises OSError: the checkpoint could not be written.
        """
        self.known.written = position
        queues = self._queues
        added = queues.added - self._listed_added
        is_old = added > 0 and added * _PART >= len(queues.table)
        if self._listed != queues.changes or is_old:
            yield from self._write_all()
        else:
            self.known.write()

    def flush_target(self) -> LogPosition:
        """Return the position up to which everything is on disk once the queues are
        flushed.
        """
        return self._flushed

    def queues_flushed(self, position: LogPosition) -> Iterator[None]:
        """
        Record, in slices, that log and queues are on disk up to ``position``.

        ``written`` is set to the same position, because this file is about to be
        flushed.

        :raises OSError: the checkpoint could not be written.
        """
        self.known.flushed = self.known.written = position
        yield from self._write_all()

    def _end(self) -> LogPosition:
        """Return the end of the log and the offset of its last record."""
        return LogPosition(self._log.end, self._log.last_offset)

    def _write_all(self) -> Iterator[None]:
        """Write the positions and the list of queues, in slices."""
        changes, added = self._queues.changes, self._queues.added
        yield from self.known.write_all(self._queues.known())
        self._listed, self._listed_added = changes, added


def _mark_queue_unsynced(queue: ConsumeQueue, flushed: int) -> None:
    """Mark the queue's files with entries of records behind ``flushed`` as dirty."""
    files = queue.files
    bases = [base for base in files.bases if base < queue.next * ENTRY_SIZE]
    while bases:
        base = bases.pop()
        files.dirty.add(files.path(base))
        if bases and queue.read_written_entry(base // ENTRY_SIZE)[0] < flushed:
            break
    topic = os.path.dirname(files.directory)
    files.dirty.update((files.directory, topic, os.path.dirname(topic)))
