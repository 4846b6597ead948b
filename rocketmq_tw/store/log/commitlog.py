"""
The commit log: all messages of a broker in one sequence.

::

    00000000000000000000      record | record | ... | blank
    00000000001073741824      record | ...

A record never spans two files. A record that does not fit with 8 bytes to spare leaves
a *blank* (bytes left in the file, blank magic) and goes to the next file; a batch moves
as a whole. Layout of a record: :mod:`rocketmq_tw.wire.record_layout`.

Source: ``CommitLog`` of RocketMQ 5.
"""

from collections.abc import Sequence
from mmap import mmap

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import RecordTooLong, StoreNotWriteable
from rocketmq_tw.store.files.disk import FileId
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.files.window import Window
from rocketmq_tw.store.log.windows import Windows, not_written
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.record import Checked, Draft, check, encode
from rocketmq_tw.wire.record_layout import (
    BLANK_SIZE,
    COMMIT_LOG_OFFSET,
    MAGIC_BLANK,
    MAGICS,
    OFFSET,
    PREFIX,
)


class CommitLog:
    """
    Appends records and reads them.

    ``end`` is the offset that the next record gets. ``last_offset`` and
    ``last_store_time_ms`` are those of the newest record, 0 if there is none.
    """

    def __init__(
        self,
        directory: str,
        config: StoreConfig,
        files: OpenFiles,
        prepare_in_thread: RunInThread | None = None,
    ) -> None:
        """
        Use files in ``directory``; nothing is read yet.

        :param prepare_in_thread: prepares windows; None maps each when it is needed.
        """
        self.files = MappedFileQueue(directory, config.commit_log_file_size, files)
        self.end = 0
        self.last_store_time_ms = 0
        self.last_offset = 0
        self._store_host = config.store_host
        self._windows = Windows(self.files, config, prepare_in_thread)
        self._window: Window | None = None
        # The mapped bytes, the offset of the first of them, and the last offset at
        # which a record may end. _limit is smaller until the next window is prepared.
        self._view: mmap | bytearray = bytearray()
        self._start = 0
        self._last = -1
        self._limit = -1

    @property
    def failure(self) -> str | None:
        """Return why the last message found no place in a file; None if it did."""
        return self._windows.failure

    @property
    def min_offset(self) -> int:
        """Return where the oldest file begins; 0 when there is none."""
        return self.files.bases[0] if self.files.bases else 0

    def load(self, may_be_cut: bool = False) -> None:
        """
        Find the files; recovery determines the end later.

        :param may_be_cut: a short last file is extended to its full length.
        :raises StoreUnreadable: a file has a wrong name or a wrong length.
        """
        self.files.load(may_be_cut=may_be_cut)

    def append(self, draft: Draft, queue_offset: int, store_time_ms: int) -> int:
        """
        Append one message, without an fsync.

        :returns: its commit log offset; :attr:`end` moves behind it.
        :raises DiskFull: nothing was written.
        :raises RecordTooLong: it is longer than a file.
        """
        at = self.end
        record = encode(draft, queue_offset, at, store_time_ms, self._store_host)
        end = at + len(record)
        if end > self._limit:
            at = self._ensure_capacity(len(record))
            record = encode(draft, queue_offset, at, store_time_ms, self._store_host)
            end = at + len(record)
        start = self._start
        self._view[at - start : end - start] = record
        self.end = end
        self.last_offset = at
        self.last_store_time_ms = store_time_ms
        return at

    def append_all(
        self, drafts: Sequence[Draft], queue_offsets: Sequence[int], store_time_ms: int
    ) -> list[int]:
        """
        Append a batch to one file, or nothing of it.

        :returns: the commit log offsets.
        :raises DiskFull: nothing was written.
        :raises RecordTooLong: the batch is longer than a file.
        """
        records, offsets = self._encode_all(drafts, queue_offsets, store_time_ms)
        size = len(records)
        if self.end + size > self._limit:
            begin = self.end
            at = self._ensure_capacity(size)
            if at != begin:
                records, offsets = _moved(records, offsets, at)
        at = self.end - self._start
        self._view[at : at + size] = records
        self.end += size
        self.last_offset = offsets[-1]
        self.last_store_time_ms = store_time_ms
        return offsets

    @property
    def capacity(self) -> int:
        """Return how many bytes of records fit the window; negative without one."""
        return self._limit - self.end

    def append_encoded(
        self, records: bytes, last_offset: int, store_time_ms: int
    ) -> None:
        """
        Append records that are encoded for :attr:`end`, at most :attr:`capacity` bytes.

        :param last_offset: where the last of them begins.
        """
        at = self.end - self._start
        self._view[at : at + len(records)] = records
        self.end += len(records)
        self.last_offset = last_offset
        self.last_store_time_ms = store_time_ms

    def append_raw(
        self,
        position: int,
        data: bytes | memoryview,
        last_offset: int,
        store_time_ms: int,
    ) -> None:
        """
        Append whole records, and the blanks behind them, as another log has them.

        :param position: :attr:`end`; where the first file begins if there is none.
        :param last_offset: where the last record begins, stored at ``store_time_ms``.
        :raises DiskFull: nothing of it counts.
        :raises StoreNotWriteable: likewise.
        """
        self.close()
        try:
            self.files.write(position, data)
        except OSError as error:
            path = self.files.path(self.files.base_of(position))
            raise not_written(error, path, self.files.disk) from error
        self.end = position + len(data)
        self.last_offset = last_offset
        self.last_store_time_ms = store_time_ms

    def read(self, position: int, count: int) -> bytes:
        """Read raw bytes, at most to the end of the log and of one file."""
        return self.files.read(position, min(count, self.end - position))

    def in_window(self, position: int, count: int) -> memoryview | None:
        """
        Return bytes before :attr:`end` if the window holds them; otherwise None.

        The bytes are mapped, so no system call is needed: 0.2 us. Use them at once: the
        window stays mapped while they are referred to.
        """
        at = position - self._start
        window = self._window
        if at < 0 or window is None:
            return None
        return window.memory[at : at + count]

    def record_at(self, position: int) -> bytes | None:
        """Return the record that begins at this offset; None if none does."""
        if not self.min_offset <= position < self.end:
            return None
        size = int.from_bytes(self.read(position, 4), "big")
        data = self.read(position, size) if BLANK_SIZE < size else b""
        if len(data) != size:
            return None
        found = check(data, 0, size, True)
        # A body may contain bytes that look like a record, so its own offset is
        # compared.
        if isinstance(found, Checked) and found.commit_log_offset == position:
            return data
        return None

    def facts_at(self, position: int) -> Checked | None:
        """
        Return the facts of the record at an offset, even behind the end; None if none.

        Recovery uses this to find the end.
        """
        head = self.files.read(position, BLANK_SIZE)
        if len(head) < BLANK_SIZE or head[4:] not in MAGICS:
            return None
        data = self.files.read(position, int.from_bytes(head[:4], "big"))
        found = check(data, 0, len(data), True)
        return found if isinstance(found, Checked) else None

    def set_end(self, end: int) -> None:
        """Set the end that recovery found; everything behind it becomes zeros."""
        self.close()
        self.files.truncate(end)
        self.end = end

    def close(self) -> None:
        """Unmap the window; the next append maps it again."""
        self._windows.discard()
        self._unmap()

    def _unmap(self) -> None:
        if self._window is not None:
            self._window.close()
        self._window = None
        self._last = self._limit = -1

    def _encode_all(
        self, drafts: Sequence[Draft], queue_offsets: Sequence[int], store_time_ms: int
    ) -> tuple[bytes, list[int]]:
        """
        Encode the records of a batch as they are stored from :attr:`end` on.

        :returns: all of them, and the commit log offset of each.
        """
        records, offsets = [], []
        at = self.end
        for draft, queue_offset in zip(drafts, queue_offsets, strict=True):
            record = encode(draft, queue_offset, at, store_time_ms, self._store_host)
            records.append(record)
            offsets.append(at)
            at += len(record)
        return b"".join(records), offsets

    def _ensure_capacity(self, size: int) -> int:
        """
        Map a window with ``size`` free bytes, in the next file if this one is full.

        :returns: the offset at which these bytes begin.
        """
        if self._window is not None and self.end + size <= self._last:
            self._limit = self._last
            self._windows.prepare(self.end, self._window.end)
            return self.end
        file_size = self.files.file_size
        if size + BLANK_SIZE > file_size:
            raise RecordTooLong(size, file_size - BLANK_SIZE)
        base = self.files.base_of(self.end)
        if self.end + size + BLANK_SIZE <= base + file_size:
            self._map(base, self.end, size)
            return self.end
        # The new file is created before the blank is written, so a full disk changes
        # nothing. A crash in between leaves an empty file, which recovery removes.
        self._map(base + file_size, base + file_size, size)
        try:
            self._write_blank(base)
        except OSError as error:
            self.close()
            self.files.remove(base + file_size)
            self._windows.failure = str(error)
            raise StoreNotWriteable(str(error)) from error
        self.end = base + file_size
        return self.end

    def _map(self, base: int, position: int, size: int) -> None:
        """Use a window at ``position`` in place of the current one."""
        window = self._windows.window(base, position, size)
        self._unmap()
        self.files.dirty.add(self.files.path(base))
        self._window = window
        self._view = window.view
        self._start = window.start
        self._last = min(window.end, base + self.files.file_size - BLANK_SIZE)
        self._limit = self._last - self._windows.lead

    def _write_blank(self, base: int) -> None:
        """Write the marker that sends readers to the next file."""
        left = base + self.files.file_size - self.end
        marker = PREFIX.pack(left, MAGIC_BLANK)
        self.files.disk.write(self.files.descriptor(base), marker, self.end - base)
        self.files.dirty.add(self.files.path(base))

    @property
    def active_path(self) -> str:
        """Return the path of the file to which records are written; empty if none."""
        if self._window is None:
            return ""
        return self.files.path(self.files.base_of(self._start))

    def take_dirty(self) -> dict[str, FileId | None]:
        """
        Return the files to flush, and clear the set; the active file stays in it.

        :returns: path to the file that was written; None where any will do.
        """
        paths = self.files.take_dirty()
        if self._window is not None:
            self.files.dirty.add(self.active_path)
        return {path: self.files.mapped.get(path) for path in paths}


def _moved(records: bytes, offsets: list[int], to: int) -> tuple[bytes, list[int]]:
    """Return encoded records, and their offsets, as they are stored from ``to`` on."""
    # A third of what it takes to encode them again.
    data = bytearray(records)
    begin = offsets[0]
    pack, field = OFFSET.pack_into, COMMIT_LOG_OFFSET.start - begin
    distance = to - begin
    new_offsets = [offset + distance for offset in offsets]
    for offset, new_offset in zip(offsets, new_offsets, strict=True):
        pack(data, offset + field, new_offset)
    return bytes(data), new_offsets
