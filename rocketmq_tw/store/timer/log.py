"""
The timer's log: a record for each message that waits.

Records are appended, and never change. Whoever reads them follows chains backwards, so
a block before each record that is read is kept.

Source: ``TimerLog`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twisted.internet.defer import Deferred

from rocketmq_tw.store.files.reads import Reads, Steps, piece
from rocketmq_tw.store.files.segments import MappedFileQueue
from rocketmq_tw.store.timer.layout import (
    END,
    END_MAGIC,
    END_SIZE,
    RECORD_SIZE,
    Link,
    decode_link,
    is_end,
)

#: The default size of a file, in bytes.
FILE_SIZE = 100 << 20
#: Bytes that are read at a time, of a chain and of the whole log.
_BLOCK = 16 << 10
_SCAN = 256 << 10


class TimerLog:
    """
    The records in files.

    :ivar end: the position that the next record gets, or the end of a file before it.
    """

    def __init__(self, files: MappedFileQueue, reads: Reads) -> None:
        self.files = files
        self.end = 0
        self._reads = reads
        # _block holds the bytes from _block_at on, unless they changed since.
        self._block = b""
        self._block_at = 0

    def next_position(self, position: int) -> int:
        """Return where the next record begins, if the log ends at ``position``."""
        rest = self.files.rest(position)
        return position if rest >= RECORD_SIZE + END_SIZE else position + rest

    def positions(self, count: int) -> list[int]:
        """Return where the next records begin, as :meth:`next_position` gives them."""
        found: list[int] = []
        position = self.end
        while len(found) < count:
            position = self.next_position(position)
            fitting = (self.files.rest(position) - END_SIZE) // RECORD_SIZE
            end = position + min(fitting, count - len(found)) * RECORD_SIZE
            found += range(position, end, RECORD_SIZE)
            position = end
        return found

    def append(self, records: Sequence[bytes], positions: Sequence[int]) -> None:
        """
        Append encoded records, at least one, at their :meth:`positions`.

        :raises OSError: nothing was appended.
        """
        at, last = self.end, positions[-1]
        if last - at == (len(records) - 1) * RECORD_SIZE:
            # They all go to one file, as most do.
            self._write(b"".join(records), last + RECORD_SIZE)
            return
        pieces: list[bytes] = []
        for record, position in zip(records, positions, strict=True):
            if position > at:
                left = position - at
                pieces.append(END.pack(left, 0, END_MAGIC).ljust(left, b"\0"))
            pieces.append(record)
            at = position + RECORD_SIZE
        self._write(b"".join(pieces), at)

    def _write(self, data: bytes, end: int) -> None:
        """Write what is behind the end, which is elsewhere then."""
        self.files.write(self.end, data)
        self.end = end
        self._block = b""

    def get(self, position: int) -> Link | None:
        """
        Return the record at a position.

        :raises BlockMissing: it has to be loaded first.
        """
        at = position - self._block_at
        if not 0 <= at <= len(self._block) - RECORD_SIZE:
            self._load_now(position)
            at = position - self._block_at
        return decode_link(self._block, at)

    def load(self, position: int) -> Deferred[None] | None:
        """Load the block of a record; None if that needed no wait."""
        loaded = self._reads.run(self._load(position))
        return loaded if isinstance(loaded, Deferred) else None

    def load_blocking(self, position: int) -> None:
        """Load the block of a record, in this thread."""
        begin, size = self._range(position)
        if not self._block_at <= begin <= position < self._block_at + len(self._block):
            self._block, self._block_at = self.files.read(begin, size), begin

    def scan(self, start: int) -> Iterator[tuple[int, Link] | None]:
        """
        Read all records from a position on, blocking; None after each slice of them.

        The log ends where no record is; :attr:`end` is set there.
        """
        position = start
        while True:
            data = self.files.read(position, _SCAN)
            at = 0
            while (link := decode_link(data, at)) is not None:
                yield position + at, link
                at += RECORD_SIZE
            if is_end(data, at) or 0 < self.files.rest(position + at) < (
                RECORD_SIZE + END_SIZE
            ):
                following = position + at + self.files.rest(position + at)
                if self.files.has(following):
                    position = following
                    continue
            position += at
            if not at or len(data) - at >= RECORD_SIZE:
                break
            yield None
        self.end = position

    def truncate(self, position: int) -> None:
        """Remove the records from a position on."""
        if position < self.end or self.files.has(self.files.base_of(position)):
            self.files.truncate(position)
        self.end = position
        self._block = b""

    def old_files(self, commit_log_min: int) -> Iterator[str]:
        """
        Detach the files of whose messages none is in the commit log any more.

        :returns: their paths, for the caller to remove.
        """
        files = self.files
        last_at = ((files.file_size - END_SIZE) // RECORD_SIZE - 1) * RECORD_SIZE
        while len(files.bases) > 1:
            base = files.bases[0]
            link = decode_link(files.read(base + last_at, RECORD_SIZE))
            if link is None or link.offset >= commit_log_min:
                return
            yield files.detach(base)

    def _load_now(self, position: int) -> None:
        """Load a block from the page cache. :raises BlockMissing: it is not there."""
        begin, size = self._range(position)
        data = self._reads.now(self.files, begin, size)
        if data is None:
            raise BlockMissing(position)
        self._block, self._block_at = data, begin

    def _load(self, position: int) -> Steps[None]:
        begin, size = self._range(position)
        data = self._reads.now(self.files, begin, size)
        if data is None:
            data = (yield [piece(self.files, begin, size)])[0]
        self._block, self._block_at = data, begin

    def _range(self, position: int) -> tuple[int, int]:
        """Return the block that ends with the record at a position, and its size."""
        end = position + RECORD_SIZE
        begin = max(end - _BLOCK // RECORD_SIZE * RECORD_SIZE, 0)
        begin = max(begin, self.files.base_of(position))
        return begin, end - begin


class BlockMissing(Exception):
    """A block of the log has to be read from disk."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position
