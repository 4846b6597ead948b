"""
A consume queue: the commit log offsets of the messages of one queue.

::

    commit log offset 8    record size 4    tags code 8        20 bytes, big-endian

Entry *n* belongs to queue offset *n* and begins at byte 20 n. A queue whose first entry
is not number 0 has files that begin with *pre-blanks* (offset 0, size 0x7FFFFFFF).
Zeros follow the last entry.

New entries collect in memory, in the *tail*, and are written to the file after a second
or when there are many. A process that is killed loses its tails: recovery rebuilds them
from the commit log.

Source: ``ConsumeQueue`` of RocketMQ 5.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise

from rocketmq_tw.model import topic as topic_names
from rocketmq_tw.store.errors import FileLost
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.wire.record import FIXED_SIZE

ENTRY_SIZE = 20
PRE_BLANK_SIZE = 0x7FFFFFFF
ENTRY = struct.Struct(">qiq")
SCHEDULE_TOPIC = topic_names.SCHEDULE_TOPIC.encode()

_PRE_BLANK = ENTRY.pack(0, PRE_BLANK_SIZE, 0)
_CHUNK = ENTRY_SIZE * 3276
#: A limit beyond every commit log offset.
EVERYTHING = 1 << 62
#: Lower than every offset that a damaged entry may hold.
_NOWHERE = -1 << 63
_NONE = (0, 0)
#: Bytes; a longer tail is written at once.
TAIL_LIMIT = _CHUNK
_pack = ENTRY.pack
#: Most records are not larger: they are counted as all that are not in a larger class.
SMALL = 1024
#: The largest records of each further class but the last one.
LARGER = (4096, 512 << 10, 1 << 20, 2 << 20, 4 << 20)


class ConsumeQueue:
    """
    The entries of one queue of one topic.

    ``next`` is the queue offset that the next message gets, ``min_offset`` the oldest
    one whose record is still in the commit log; ``log_end`` is the end of the newest
    entry's record in the commit log. If ``is_delayed``, the tags codes are the times at
    which the messages are due. Entries before ``unverified_end`` were written by an
    earlier run and are verified when they are read; ``verified`` is the range that was.
    When the tail grows beyond ``tail_limit``, :meth:`ConsumeQueues.touch` has to be
    called; the limit is 0 while the queue is not in its list of dirty ones.
    ``messages`` and ``size`` (of their records, in bytes) count what was dispatched
    since the queue was loaded or created, but no copies of a master's records;
    ``sampled`` is what both were when statistics were last made; ``larger`` counts the
    records that are larger than :data:`SMALL`, by their size.
    """

    __slots__ = (
        "files",
        "is_delayed",
        "larger",
        "log_end",
        "messages",
        "min_offset",
        "next",
        "verified",
        "queue_id",
        "sampled",
        "size",
        "tail",
        "tail_limit",
        "topic",
        "unverified_end",
        "written",
    )

    def __init__(
        self,
        topic: bytes,
        queue_id: int,
        directory: str,
        file_size: int,
        files: OpenFiles,
    ) -> None:
        """Use files in ``directory``, which is created with the first entry."""
        self.topic = topic
        self.queue_id = queue_id
        self.is_delayed = topic == SCHEDULE_TOPIC
        self.files = MappedFileQueue(directory, file_size, files)
        self.tail = bytearray()
        self.tail_limit = 0
        self.written = self.next = self.min_offset = 0
        self.log_end = self.unverified_end = 0
        self.messages = self.size = 0
        self.larger: list[int] | None = None
        self.sampled = _NONE
        self.verified = _NONE

    def count_larger(self, size: int) -> None:
        """Count a record that is larger than :data:`SMALL`."""
        if self.larger is None:
            self.larger = [0] * (len(LARGER) + 1)
        self.larger[bisect_left(LARGER, size)] += 1

    def append(self, commit_log_offset: int, size: int, tags_code: int) -> None:
        """Add the next entry to the tail."""
        self.tail += _pack(commit_log_offset, size, tags_code)
        self.next += 1
        self.log_end = commit_log_offset + size

    def put(
        self,
        queue_offset: int,
        commit_log_offset: int,
        size: int,
        tags_code: int,
        may_restart: bool = True,
    ) -> bool:
        """
        Add an entry that recovery read from the commit log, unless it exists already.

        :param may_restart: whether offset 0 after higher ones means that the topic was
            deleted and created again.
        :returns: whether it was added.

        A gap is filled, so that entry *n* stays at byte 20 n. A queue offset that is
        further ahead than the log has capacity for is damaged, and ignored.
        """
        if commit_log_offset + size <= self.log_end:
            return False
        if queue_offset - self.next > (commit_log_offset - self.log_end) // FIXED_SIZE:
            return False
        if queue_offset == 0 and self.next > 0 and may_restart:
            self.clear()
        if queue_offset < self.next:
            return False
        if self.next == self.min_offset == 0 and queue_offset > 0:
            self._start_at(queue_offset)
        self.fill_to(queue_offset, commit_log_offset)
        self.append(commit_log_offset, size, tags_code)
        self._spill()
        return True

    def fill_to(self, queue_offset: int, commit_log_offset: int) -> None:
        """Continue at ``queue_offset``; the entries before it are marked as lost."""
        while self.next < queue_offset:
            # Searches need increasing offsets, so these are not real pre-blanks.
            self.tail += _pack(commit_log_offset, PRE_BLANK_SIZE, 0)
            self.next += 1
            self._spill()

    def read(self, queue_offset: int, count: int) -> bytes:
        """Read at most ``count`` entries, up to the end of one file or of the queue."""
        in_tail = queue_offset - self.written
        if in_tail >= 0:
            at = in_tail * ENTRY_SIZE
            return bytes(self.tail[at : at + count * ENTRY_SIZE])
        count = min(count, -in_tail)
        return self.files.read(queue_offset * ENTRY_SIZE, count * ENTRY_SIZE)

    def entry(self, queue_offset: int) -> tuple[int, int, int] | None:
        """Return commit log offset, size and tags code; None outside the queue."""
        if not self.min_offset <= queue_offset < self.next:
            return None
        data = self.read(queue_offset, 1)
        return ENTRY.unpack(data) if len(data) == ENTRY_SIZE else None

    def flush(self) -> None:
        """
        Write the tail to the file, without an fsync.

        :raises OSError: the tail is kept, to be written later.
        """
        if self.tail:
            self.files.write(self.written * ENTRY_SIZE, self.tail)
            self.written = self.next
            self.tail = bytearray()
        self.tail_limit = 0

    def load(self, limit: int = EVERYTHING) -> None:
        """
        Find the files and the end of the queue.

        :param limit: entries whose records begin at or behind it are ignored.
        :raises StoreUnreadable: a file has a wrong name or a wrong length.
        :raises FileLost: a file is empty, or missing between others.
        """
        self.files.load(may_be_empty=False)
        bases = self.files.bases
        for earlier, base in pairwise(bases):
            if base != earlier + self.files.file_size:
                raise FileLost(self.files.path(base), "the file before it is missing")
        first = bases[0] // ENTRY_SIZE if bases else 0
        end = (bases[-1] + self.files.file_size) // ENTRY_SIZE if bases else 0
        self.written = self.next = end
        self.min_offset = first
        self._end_at(_search(lambda each: self._is_before(limit, each), first, end))
        self.unverified_end = self.next

    def loaded(self, first: int, end: int, log_end: int) -> None:
        """
        Set the first and the next queue offset of a queue that was looked at.

        It has one file, which begins with the entry ``first``.
        """
        self.files.bases = [first * ENTRY_SIZE]
        self.min_offset = first
        self.written = self.next = self.unverified_end = end
        self.log_end = log_end

    def truncate(self, log_offset: int) -> None:
        """Drop the entries whose records begin at ``log_offset`` or later."""
        self.flush()
        if self.log_end <= log_offset:
            return
        keep = self._first_from(log_offset)
        self.files.truncate(keep * ENTRY_SIZE)
        self.min_offset = min(self.min_offset, keep)
        self._end_at(keep)

    def replace(self, queue_offset: int, offset: int, size: int, code: int) -> None:
        """Overwrite a damaged entry."""
        entry = _pack(offset, size, code)
        if queue_offset < self.written:
            self.files.write(queue_offset * ENTRY_SIZE, entry)
            return
        at = (queue_offset - self.written) * ENTRY_SIZE
        self.tail[at : at + ENTRY_SIZE] = entry

    def wipe(self) -> None:
        """Replace everything behind the last entry by zeros."""
        self.files.truncate(self.next * ENTRY_SIZE)

    def clear(self) -> None:
        """Drop all entries; the next message gets queue offset 0."""
        self.tail = bytearray()
        self.files.clear()
        self.written = self.next = self.min_offset = self.log_end = 0
        self.unverified_end = 0
        self.verified = _NONE

    def forget(self) -> None:
        """Drop all entries; the files are moved already."""
        self.tail = bytearray()
        self.written = self.next = self.min_offset = self.log_end = 0
        self.unverified_end = 0
        self.verified = _NONE
        self.files.forget()

    def add_verified(self, start: int, end: int) -> None:
        """Extend the verified range, or replace it if the new one does not touch it."""
        first, last = self.verified
        if first <= start <= last:
            start, end = first, max(last, end)
        self.verified = (start, end)

    def correct_min(self, log_min: int) -> None:
        """
        Advance ``min_offset`` to the first entry whose record is in the commit log.

        Entries with negative offsets are damaged and not treated as old.
        """
        entry = self.entry(self.min_offset)
        if entry is None or 0 <= entry[0] < log_min or entry[1] == PRE_BLANK_SIZE:
            self.min_offset = self._first_from(log_min, lowest=0)

    def trim(self, log_min: int) -> list[str]:
        """
        Follow the minimum of the log; the newest file is never detached.

        :returns: the paths of files without valid entries, to be removed.
        """
        self.correct_min(log_min)
        files, paths = self.files, []
        while len(files.bases) > 1:
            behind = (files.bases[0] + files.file_size) // ENTRY_SIZE
            if behind > self.min_offset:
                break
            paths.append(files.detach(files.bases[0]))
        return paths

    def _first_from(self, log_offset: int, lowest: int = _NOWHERE) -> int:
        """
        Return the first queue offset whose record begins at ``log_offset`` or later.
        """
        low = self.files.bases[0] // ENTRY_SIZE if self.files.bases else self.written
        return _search(
            lambda each: self._is_before(log_offset, each, lowest), low, self.next
        )

    def _is_before(self, limit: int, queue_offset: int, lowest: int = _NOWHERE) -> bool:
        """
        Return whether an entry's record begins before ``limit``, or it is a pre-blank.

        :param lowest: entries with lower offsets are not counted as earlier.
        """
        data = self.read(queue_offset, 1)
        if len(data) < ENTRY_SIZE:
            return False
        offset, size, _ = ENTRY.unpack(data)
        if size == PRE_BLANK_SIZE and offset == 0:
            return True
        return bool(size != 0 and lowest <= offset < limit)

    def _start_at(self, queue_offset: int) -> None:
        """Start an empty queue at an offset: pre-blanks fill the file before it."""
        position = queue_offset * ENTRY_SIZE
        base = self.files.base_of(position)
        self.files.write(base, _PRE_BLANK * ((position - base) // ENTRY_SIZE))
        self.written = self.next = self.min_offset = queue_offset

    def _end_at(self, queue_offset: int) -> None:
        """Set the end of the queue; all its entries are in the files."""
        self.written = self.next = queue_offset
        self.log_end = 0
        first = self.files.bases[0] // ENTRY_SIZE if self.files.bases else queue_offset
        if queue_offset > first:
            offset, size, _ = self.read_written_entry(queue_offset - 1)
            self.log_end = 0 if size == PRE_BLANK_SIZE else offset + size

    def read_written_entry(self, queue_offset: int) -> tuple[int, int, int]:
        """Read one entry from the files, even before ``min_offset``."""
        data = self.files.read(queue_offset * ENTRY_SIZE, ENTRY_SIZE)
        return ENTRY.unpack(data)

    def _spill(self) -> None:
        """Write the tail if it has grown long."""
        if len(self.tail) >= TAIL_LIMIT:
            self.flush()


def _search(is_before: Callable[[int], bool], low: int, high: int) -> int:
    """
    Return the first number from ``low`` on for which ``is_before`` is false, or
    ``high``.

    The steps double at first, because most queues are short.
    """
    step = 1
    while low + step < high and is_before(low + step - 1):
        low += step
        step *= 2
    high = min(low + step, high)
    while low < high:
        middle = (low + high) // 2
        if is_before(middle):
            low = middle + 1
        else:
            high = middle
    return low


def entries(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Iterate over entries: commit log offset, record size, tags code."""
    return ENTRY.iter_unpack(data)
