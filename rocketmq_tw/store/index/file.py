"""
One index file: from the hash of a key to commit log offsets.

A hash table whose chains run from the newest entry to the oldest::

    0     header: begin time | end time | begin offset | end offset | slots used | count
    40    slots, 4 bytes each: number of the chain's newest entry, 0 without one
    40+4s entries, 20 bytes each: hash 4 | commit log offset 8 | seconds 4 | previous 4

All numbers are big-endian. Entry 0 is never used, so the count begins at 1. *Seconds*
are relative to the begin time. An append writes the entries first, which may fail; then
it updates the slots and finally the header, in a mapping whose blocks were allocated
before.

Source: ``IndexFile`` and ``IndexHeader`` of RocketMQ 5.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Sequence

from rocketmq_tw.store.files.disk import Disk

_HEADER = struct.Struct(">qqqqii")
HEADER_SIZE = 40
ENTRY_SIZE = 20
_pack_entry = struct.Struct(">iqii").pack
_unpack_entry = struct.Struct(">iqii").unpack_from
_SLOT = struct.Struct(">i")
_MAX_SECONDS = (1 << 31) - 1
#: Entries read at once: those of one chain are often close together.
_BLOCK = 64

#: Hash, commit log offset, store time in ms.
Entry = tuple[int, int, int]


class Steps:
    """How many more entries a search may examine."""

    def __init__(self, left: int) -> None:
        """Start with ``left`` entries."""
        self.left = left


class IndexFile:
    """
    One file and the numbers of its header.

    Times are store times in ms; ``count`` is the number that the next entry gets.
    """

    def __init__(self, path: str, slots: int, max_count: int, disk: Disk) -> None:
        """Describe the file at ``path``; nothing is read yet."""
        self.path = path
        self.begin_time_ms = 0
        self.end_time_ms = 0
        self.begin_offset = 0
        self.end_offset = 0
        self.count = 1
        self._used = 0
        self._slots = slots
        self._max_count = max_count
        self._disk = disk
        self._table_size = HEADER_SIZE + 4 * slots
        self._descriptor = -1
        self._view: mmap.mmap | None = None

    @property
    def size(self) -> int:
        """Return the length of the whole file, in bytes."""
        return self._table_size + ENTRY_SIZE * self._max_count

    @property
    def capacity(self) -> int:
        """Return how many more entries fit in."""
        return max(0, self._max_count - self.count)

    def create(self, previous: "IndexFile | None") -> None:
        """
        Create the file, with the slots allocated and the entries sparse. Its end starts
        as that of ``previous``.

        :raises OSError: the file could not be created; no part of it is left.
        """
        if previous is not None:
            self.end_time_ms = previous.end_time_ms
            self.end_offset = previous.end_offset
        try:
            self._disk.create(self.path, self.size)
            self._write_header(self._table())
        except OSError:
            self.close()
            self._disk.remove(self.path)
            raise

    def load(self) -> str | None:
        """
        Read the header.

        :returns: why the file is damaged; None if it is not.
        :raises OSError: it cannot be read.
        """
        if (size := os.path.getsize(self.path)) != self.size:
            return f"it has {size} bytes; {self.size} are configured"
        with open(self.path, "rb") as file:
            header = _HEADER.unpack(file.read(HEADER_SIZE))
        self.begin_time_ms, self.end_time_ms = header[:2]
        self.begin_offset, self.end_offset = header[2:4]
        self._used, self.count = header[4:]
        if not 1 <= self.count <= self._max_count:
            return f"it counts {self.count} of {self._max_count} entries"
        if not 0 <= self._used <= min(self._slots, self.count):
            return f"it counts {self._used} of {self._slots} slots as used"
        if not 0 <= self.begin_offset <= self.end_offset:
            return f"it covers {self.begin_offset} to {self.end_offset}"
        return None

    def append(self, entries: Sequence[Entry]) -> None:
        """
        Add entries, at most :attr:`capacity`; one call adds whole messages.

        :raises OSError: nothing was added.

        Takes 0.3 us for each entry, in batches of 250.
        """
        view = self._table()
        slots, number, used = self._slots, self.count, self._used
        begin = self.begin_time_ms if number > 1 else entries[0][2]
        newest: dict[int, int] = {}
        parts: list[bytes] = []
        newest_at, add, slot_at = newest.get, parts.append, _SLOT.unpack_from
        last_ms, seconds = begin, 0
        for hash_code, offset, time_ms in entries:
            at = HEADER_SIZE + hash_code % slots * 4
            previous = newest_at(at, -1)
            if previous < 0:
                previous = slot_at(view, at)[0]
                if not 0 < previous < number:
                    previous = 0
                    used += 1
            if time_ms != last_ms:
                last_ms = time_ms
                seconds = min(max(0, (time_ms - begin) // 1000), _MAX_SECONDS)
            add(_pack_entry(hash_code, offset, seconds, previous))
            newest[at] = number
            number += 1
        position = self._table_size + self.count * ENTRY_SIZE
        self._disk.write(self._descriptor, b"".join(parts), position)
        if self.count == 1:
            self.begin_time_ms, self.begin_offset = begin, entries[0][1]
        _, self.end_offset, self.end_time_ms = entries[-1]
        self.count, self._used = number, used
        for at, value in newest.items():
            _SLOT.pack_into(view, at, value)
        self._write_header(view)

    def overlaps(self, begin_ms: int, end_ms: int) -> bool:
        """Return whether it may have entries of messages stored between two times."""
        is_used = self.count > 1
        return is_used and self.begin_time_ms <= end_ms and self.end_time_ms >= begin_ms

    def find(
        self, hash_code: int, begin_ms: int, end_ms: int, steps: Steps
    ) -> Iterator[int]:
        """
        Yield the commit log offsets of entries with this hash, newest first.

        Entries hold whole seconds, so some messages up to a second outside the range
        are included. Safe in any thread while entries are added.

        :raises OSError: it cannot be read; FileNotFoundError if it was deleted.
        """
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            slot = HEADER_SIZE + hash_code % self._slots * 4
            number = int.from_bytes(os.pread(descriptor, 4, slot), "big", signed=True)
            first, block = number + 1, b""
            while 0 < number < self.count and steps.left > 0:
                steps.left -= 1
                if number < first:
                    first = max(1, number - _BLOCK + 1)
                    block = self._read_block(descriptor, first, number)
                found, offset, seconds, previous = _unpack_entry(
                    block, (number - first) * ENTRY_SIZE
                )
                time_ms = self.begin_time_ms + seconds * 1000
                if time_ms + 999 < begin_ms:
                    return
                if found == hash_code and time_ms <= end_ms:
                    yield offset
                # A chain only leads to older entries, so a damaged one cannot loop.
                if previous >= number:
                    return
                number = previous
        finally:
            os.close(descriptor)

    def ends_with(self, offset: int, count: int) -> bool:
        """
        Return whether the last ``count`` entries belong to the message at ``offset``.

        :raises OSError: it cannot be read.
        """
        first = self.count - count
        if first < 1:
            return False
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = self._read_block(descriptor, first, self.count - 1)
        finally:
            os.close(descriptor)
        offsets = range(0, count * ENTRY_SIZE, ENTRY_SIZE)
        return all(_unpack_entry(data, at)[1] == offset for at in offsets)

    def release_memory(self) -> None:
        """Release the memory of the mapping; the kernel reloads it when it is used."""
        if self._view is not None:
            self._view.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Unmap and close the file; the next append opens it again."""
        if self._view is not None:
            self._view.close()
            os.close(self._descriptor)
        self._view = None

    def _table(self) -> mmap.mmap:
        """
        Map the header and the slots.

        Their blocks are allocated first: touching a hole on a full disk would raise
        SIGBUS.
        """
        if self._view is None:
            descriptor = self._disk.open(self.path)
            try:
                self._disk.allocate(descriptor, 0, self._table_size)
                self._view = self._disk.map(descriptor, self._table_size, 0)
            except OSError:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return self._view

    def _write_header(self, view: mmap.mmap) -> None:
        """Write the current numbers into the header."""
        _HEADER.pack_into(
            view,
            0,
            self.begin_time_ms,
            self.end_time_ms,
            self.begin_offset,
            self.end_offset,
            self._used,
            self.count,
        )

    def _read_block(self, descriptor: int, first: int, last: int) -> bytes:
        """Read the entries from ``first`` to ``last``."""
        at = self._table_size + first * ENTRY_SIZE
        return os.pread(descriptor, (last - first + 1) * ENTRY_SIZE, at)
