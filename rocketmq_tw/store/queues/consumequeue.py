"""
A consume queue: where the messages of one queue lie in the commit log.

::

    commit log offset 8    record size 4    tags code 8        20 bytes, big-endian

Entry *n* is the message with queue offset *n* and stands at byte 20 n. A queue whose
first entry is not number 0 has files that begin with *pre-blanks* (offset 0, size
0x7FFFFFFF). Behind the last entry there are zeros.

New entries gather in memory, in the *tail*, and go to the file a second later or when
there are many. A killed process loses its tails: recovery makes them again from
the commit log.

Source: ``ConsumeQueue`` of RocketMQ 5.
"""

import struct
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
#: Behind every commit log offset.
EVERYTHING = 1 << 62
#: Before every number that a damaged entry may tell.
_NOWHERE = -1 << 63
_NONE = (0, 0)
#: A tail longer than this is written at once.
TAIL_LIMIT = _CHUNK
_pack = ENTRY.pack


class ConsumeQueue:
    """
    The entries of one queue of one topic.

    ``next`` is the queue offset that the next message gets, ``min_offset`` that of the
    oldest that the commit log still holds; ``log_end`` is where the newest entry's
    record ends in the commit log. ``is_delayed`` says that the tags codes of its
    entries are the times at which the messages are due. Entries before
    ``unverified_end`` were made by an earlier run, and are verified when they are read;
    ``verified`` is where those begin and end that were. A tail longer than
    ``tail_limit`` is a matter for :meth:`ConsumeQueues.touch`: any while the queue is
    not in its list of dirty ones, else a long one.
    """

    __slots__ = (
        "files",
        "is_delayed",
        "log_end",
        "min_offset",
        "next",
        "verified",
        "queue_id",
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
        """Keep a queue in ``directory``, which is made with the first entry."""
        self.topic = topic
        self.queue_id = queue_id
        self.is_delayed = topic == SCHEDULE_TOPIC
        self.files = MappedFileQueue(directory, file_size, files)
        self.tail = bytearray()
        self.tail_limit = 0
        self.written = self.next = self.min_offset = 0
        self.log_end = self.unverified_end = 0
        self.verified = _NONE

    def append(self, commit_log_offset: int, size: int, tags_code: int) -> None:
        """Add the next entry, in memory."""
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
        Add the entry that recovery read from the commit log; the same again is nothing.

        :param may_restart: whether an offset 0 behind later ones is a topic that was
            deleted and made again.
        :returns: whether it was added.

        A gap is filled, so that entry *n* stays at byte 20 n. More entries than fit in
        the log cannot be missing: such a queue offset is damage.
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
        """Let the queue go on at an offset: those before it are lost."""
        while self.next < queue_offset:
            # Offsets must rise for searches, so these are no true pre-blanks.
            self.tail += _pack(commit_log_offset, PRE_BLANK_SIZE, 0)
            self.next += 1
            self._spill()

    def read(self, queue_offset: int, count: int) -> bytes:
        """Read at most ``count`` entries, up to the end of one file or the queue."""
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
        Write the tail to the file; it is not flushed.

        :raises OSError: the tail is kept, to be tried again.
        """
        if self.tail:
            self.files.write(self.written * ENTRY_SIZE, self.tail)
            self.written = self.next
            self.tail = bytearray()
        self.tail_limit = 0

    def load(self, limit: int = EVERYTHING) -> None:
        """
        Find the files and the end of the queue.

        :param limit: entries of records that begin there or later do not count.
        :raises StoreUnreadable: a file is misplaced or has a wrong length.
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

    def truncate(self, log_offset: int) -> None:
        """Drop the entries of records that begin at ``log_offset`` or later."""
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
        """Let zeros follow the last entry, whatever is there."""
        self.files.truncate(self.next * ENTRY_SIZE)

    def clear(self) -> None:
        """Drop all entries; the next message gets queue offset 0."""
        self.tail = bytearray()
        self.files.clear()
        self.written = self.next = self.min_offset = self.log_end = 0
        self.unverified_end = 0
        self.verified = _NONE

    def add_verified(self, start: int, end: int) -> None:
        """Note that entries were verified: a range that does not touch is forgotten."""
        first, last = self.verified
        if first <= start <= last:
            start, end = first, max(last, end)
        self.verified = (start, end)

    def correct_min(self, log_min: int) -> None:
        """
        Move ``min_offset`` to the first entry that the commit log still holds.

        Entries of negative offsets are damaged, and not taken for old ones.
        """
        entry = self.entry(self.min_offset)
        if entry is None or 0 <= entry[0] < log_min or entry[1] == PRE_BLANK_SIZE:
            self.min_offset = self._first_from(log_min, lowest=0)

    def trim(self, log_min: int) -> list[str]:
        """
        Follow the log's minimum; never detaches the newest file.

        :returns: the paths of files that hold nothing any more, to be removed.
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
        """Return the offset of the first entry whose record begins there or later."""
        low = self.files.bases[0] // ENTRY_SIZE if self.files.bases else self.written
        return _search(
            lambda each: self._is_before(log_offset, each, lowest), low, self.next
        )

    def _is_before(self, limit: int, queue_offset: int, lowest: int = _NOWHERE) -> bool:
        """
        Return whether an entry is of a record before ``limit``, or a pre-blank.

        :param lowest: entries of offsets before that do not count as earlier ones.
        """
        data = self.read(queue_offset, 1)
        if len(data) < ENTRY_SIZE:
            return False
        offset, size, _ = ENTRY.unpack(data)
        if size == PRE_BLANK_SIZE and offset == 0:
            return True
        return bool(size != 0 and lowest <= offset < limit)

    def _start_at(self, queue_offset: int) -> None:
        """Begin an empty queue in the middle: pre-blanks fill its first file."""
        position = queue_offset * ENTRY_SIZE
        base = self.files.base_of(position)
        self.files.write(base, _PRE_BLANK * ((position - base) // ENTRY_SIZE))
        self.written = self.next = self.min_offset = queue_offset

    def _end_at(self, queue_offset: int) -> None:
        """Let the queue end there, all of it being in the files."""
        self.written = self.next = queue_offset
        self.log_end = 0
        first = self.files.bases[0] // ENTRY_SIZE if self.files.bases else queue_offset
        if queue_offset > first:
            offset, size, _ = self.read_written_entry(queue_offset - 1)
            self.log_end = 0 if size == PRE_BLANK_SIZE else offset + size

    def read_written_entry(self, queue_offset: int) -> tuple[int, int, int]:
        """Read one entry of the files, be it before ``min_offset``."""
        data = self.files.read(queue_offset * ENTRY_SIZE, ENTRY_SIZE)
        return ENTRY.unpack(data)

    def _spill(self) -> None:
        """Write the tail when it has grown long."""
        if len(self.tail) >= TAIL_LIMIT:
            self.flush()


def _search(is_before: Callable[[int], bool], low: int, high: int) -> int:
    """
    Return the first number from ``low`` on that is not before, or ``high``.

    Steps that double come first: they are few in the many queues that are short.
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
    """Read entries: commit log offset, record size, tags code."""
    return ENTRY.iter_unpack(data)
