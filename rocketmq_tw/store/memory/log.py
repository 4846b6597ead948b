"""
A commit log in memory: records in chunks, of which the oldest is dropped.

Readers use it in place of :class:`~rocketmq_tw.store.log.commitlog.CommitLog`.
"""

from bisect import bisect_right
from collections.abc import Sequence

from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.index.keys import keys_of
from rocketmq_tw.wire.record import Draft, encode

#: Number of chunks; one is dropped at a time when the log is full.
_CHUNKS = 16
#: Bytes that a key takes besides its own, with the offset of its record.
KEY_SIZE = 300
_NOTHING = memoryview(b"")


class _Chunk:
    """
    Contiguous records.

    ``offsets`` maps a topic and a key to the offsets of the records that have them;
    ``size`` is what both take, in bytes.
    """

    __slots__ = ("base", "data", "offsets", "size")

    def __init__(self, base: int) -> None:
        self.base = base
        self.data = bytearray()
        self.offsets: dict[tuple[bytes, bytes], list[int]] = {}
        self.size = 0


class MemoryLog:
    """
    Appends records and reads them.

    ``end`` is the offset that the next record gets, ``min_offset`` the start of the
    oldest record; ``last_store_time_ms`` and ``last_offset`` are those of the newest.
    """

    def __init__(self, max_size: int, store_host: bytes) -> None:
        """Keep ``max_size`` bytes of records and keys, but always the newest."""
        self.end = self.min_offset = 0
        self.last_offset = self.last_store_time_ms = 0
        #: Required by readers; no file of it is ever read.
        self.files = MappedFileQueue("", 1, OpenFiles())
        self._store_host = store_host
        self._max_size = max_size
        self._chunk_size = max(1, max_size // _CHUNKS)
        self._chunks = [_Chunk(0)]
        #: What all chunks take, in bytes.
        self.size = 0

    def append_all(
        self, drafts: Sequence[Draft], queue_offsets: Sequence[int], store_time_ms: int
    ) -> list[int]:
        """Append messages contiguously; return their commit log offsets."""
        at, offsets, records = self.end, [], []
        keys = [keys_of(draft.properties) for draft in drafts]
        for draft, queue_offset in zip(drafts, queue_offsets, strict=True):
            record = encode(draft, queue_offset, at, store_time_ms, self._store_host)
            offsets.append(at)
            records.append(record)
            at += len(record)
        size = at - self.end
        size += sum(KEY_SIZE + len(key) for each in keys for key in each)
        chunk = self._chunk_for(size)
        chunk.data += b"".join(records)
        for draft, offset, its_keys in zip(drafts, offsets, keys, strict=True):
            for key in its_keys:
                chunk.offsets.setdefault((draft.topic, key), []).append(offset)
        self.end, self.last_offset = at, offsets[-1]
        self.last_store_time_ms = store_time_ms
        return offsets

    def in_window(self, position: int, count: int) -> memoryview:
        """Return bytes up to the end of their chunk; empty if they were dropped."""
        if not self.min_offset <= position < self.end:
            return _NOTHING
        chunk = self._chunks[bisect_right(self._chunks, position, key=_base) - 1]
        at = position - chunk.base
        # A copy: nothing could be added to a chunk while there is a view of it.
        return memoryview(bytes(memoryview(chunk.data)[at : at + count]))

    def offsets_of(self, topic: bytes, key: bytes) -> list[int]:
        """
        Return the commit log offsets of a topic's messages with a key, newest first.
        """
        found: list[int] = []
        for chunk in reversed(self._chunks):
            found += reversed(chunk.offsets.get((topic, key), ()))
        return found

    def _chunk_for(self, size: int) -> _Chunk:
        """
        Return the chunk for records and keys of ``size`` bytes, which are counted; drop
        the oldest ones if needed.
        """
        last = self._chunks[-1]
        if last.data and last.size + size > self._chunk_size:
            last = _Chunk(self.end)
            self._chunks.append(last)
        last.size += size
        self.size += size
        while self.size > self._max_size and len(self._chunks) > 1:
            self.size -= self._chunks.pop(0).size
        self.min_offset = self._chunks[0].base
        return last


def _base(chunk: _Chunk) -> int:
    return chunk.base
