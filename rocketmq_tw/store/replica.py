"""
A commit log that is the copy of a master's.

The master's bytes come in pieces that may cut records. Only whole records, and the
blanks at the end of files, are written; a part of one waits in memory. So the log ends
behind a record at any time, whatever else happens. Each record is checked before it is
written: its lengths, its checksum, and that its own offset is where it stands.

Records are dispatched as those of every other writer: at once, or with SYNC_FLUSH when
they are on disk.

Source: ``CommitLog.appendData`` and ``ReputMessageService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.store.admission import Admission
from rocketmq_tw.store.errors import DamagedTransfer, NotContinuous
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.log.received import HEAD, is_incomplete, scan
from rocketmq_tw.store.queues.deferred_dispatch import AT_ONCE
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.wire.record import Checked


class ReplicaLog:
    """
    Appends what a master transfers.

    :param schedule_flush: called with the number of records that wait for the disk;
        they are dispatched by
        :meth:`dispatch_flushed`. None dispatches records at once.
    :param max_undispatched: how many records may wait for that.
    :param safe_end: returns the offset up to which the log may be acknowledged.
    :ivar on_flushed: called after each fsync, with SYNC_FLUSH.
    """

    _log = Logger()

    # _pending begins where the log ends: it is the part of a record or of a blank.

    def __init__(
        self,
        *,
        log: CommitLog,
        dispatcher: Dispatcher,
        admission: Admission,
        schedule_flush: Callable[[int], None] | None,
        max_undispatched: int,
        safe_end: Callable[[], int],
    ) -> None:
        self._commit_log = log
        self._dispatcher = dispatcher
        self._admission = admission
        self._schedule_flush = schedule_flush
        self._max_undispatched = max_undispatched
        self._safe_end = safe_end
        self.on_flushed: Callable[[], None] = _nothing
        # Where the log begins, as long as it has no file.
        self._first = 0
        self._pending = bytearray()
        # The records that wait to be on disk, in order, with their offsets.
        self._undispatched: deque[tuple[int, Checked]] = deque()

    @property
    def undispatched(self) -> int:
        """How many records wait to be on disk."""
        return len(self._undispatched)

    @property
    def is_full(self) -> bool:
        """Whether no more should be appended until records are dispatched."""
        return len(self._undispatched) >= self._max_undispatched

    @property
    def end(self) -> int:
        """Where the log ends: behind a whole record."""
        return self._first if self.is_empty else self._commit_log.end

    @property
    def safe_end(self) -> int:
        """Where the log ends that may be acknowledged: on disk, with SYNC_FLUSH."""
        return self._safe_end()

    @property
    def next(self) -> int:
        """The position that the next piece must have."""
        return self.end + len(self._pending)

    @property
    def is_empty(self) -> bool:
        """Whether there is no file yet."""
        return not self._commit_log.files.bases

    @property
    def last_offset(self) -> int:
        """The offset of the last record."""
        return self._commit_log.last_offset

    @property
    def file_size(self) -> int:
        """The size of the files of the log."""
        return self._commit_log.files.file_size

    def begin_at(self, position: int) -> None:
        """
        Let a log without files begin at the start of another file than the first.

        :raises DamagedTransfer: there no file of this size can begin.
        """
        assert self.is_empty
        if position % self.file_size:
            raise DamagedTransfer(
                position,
                f"no file of {self.file_size} bytes (mappedFileSizeCommitLog) begins"
                " there",
            )
        self._pending.clear()
        self._first = position

    def drop_part(self) -> None:
        """Drop the part of a record that came last: its connection is lost."""
        self._pending.clear()

    def append(self, position: int, data: bytes | memoryview) -> int:
        """
        Append a piece of the master's log, and dispatch the records that it completes.

        :param position: where it begins in the master's log.
        :returns: how many records were completed.
        :raises NotContinuous: that is not :attr:`next`; nothing was changed.
        :raises DamagedTransfer: what follows the last whole record is none. The records
            before it were appended.
        :raises DiskFull: nothing was written.
        :raises StoreNotWriteable: the same, for any other reason.
        """
        if position != self.next:
            raise NotContinuous(position, self.next)
        error = self._admission.replica_error()
        if error is not None:
            raise error
        pending = self._pending
        head = bytes(pending[:HEAD]) + bytes(data[:HEAD])
        if is_incomplete(head, len(pending) + len(data)):
            pending += data
            return 0
        whole = b"".join((pending, data))
        received = scan(whole, self.end, self.file_size)
        records, end = received.records, received.end
        if end:
            self._write(memoryview(whole)[:end], records)
        pending[:] = whole[end:]
        self._dispatch(records)
        if received.damage is not None:
            pending.clear()
            raise DamagedTransfer(self.end, received.damage)
        return len(records)

    def dispatch_flushed(self, end: int) -> int:
        """
        Dispatch the records that are on disk, up to offset ``end``.

        :returns: up to where that was done: after :data:`AT_ONCE` records it stops.
        """
        waiting = self._undispatched
        found: list[tuple[int, Checked]] = []
        last = end
        while waiting and waiting[0][0] + waiting[0][1].size <= end:
            found.append(waiting.popleft())
            if len(found) == AT_ONCE:
                position, record = found[-1]
                last = position + record.size
                break
        self._dispatcher.dispatch_copies(found)
        self.on_flushed()
        return last

    def _write(self, data: memoryview, records: list[tuple[int, Checked]]) -> None:
        """Write whole records."""
        log = self._commit_log
        last, store_time_ms = log.last_offset, log.last_store_time_ms
        if records:
            last, found = records[-1]
            store_time_ms = found.store_time_ms
        log.append_raw(self.end, data, last, store_time_ms)

    def _dispatch(self, records: list[tuple[int, Checked]]) -> None:
        """Dispatch records now, or keep them until they are on disk."""
        if self._schedule_flush is not None:
            self._undispatched += records
            self._schedule_flush(len(records))
            return
        self._dispatcher.dispatch_copies(records)


def _nothing() -> None:
    """Do nothing."""
