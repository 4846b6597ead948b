"""
A commit log in memory: records in chunks; the oldest chunk is dropped for new ones.

It stands in for :class:`~rocketmq_tw.store.log.commitlog.CommitLog` where records are
read.
"""

from bisect import bisect_right
from collections.abc import Sequence

from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.index.keys import keys_of
from rocketmq_tw.wire.record import Draft, encode

#: The log is cut into so many chunks; one of them is dropped at a time.
_CHUNKS = 16


class _Chunk:
    """
    Records side by side.

    ``offsets`` has those of records with a key, by topic and key.
    """

    __slots__ = ("base", "data", "offsets")

    def __init__(self, base: int) -> None:
        """Begin at commit log offset ``base``."""
        self.base = base
        self.data = bytearray()
        self.offsets: dict[tuple[bytes, bytes], list[int]] = {}


class MemoryLog:
    """
    Appends records and reads them back.

    ``end`` is the offset that the next record gets, ``min_offset`` that of the oldest
    record; ``last_store_time_ms`` and ``last_offset`` are those of the newest.
    """

    def __init__(self, max_size: int, store_host: bytes) -> None:
        """Keep at most ``max_size`` bytes of records, or the newest if it is longer."""
        self.end = self.min_offset = 0
        self.last_offset = self.last_store_time_ms = 0
        #: No file of it is ever read.
        self.files = MappedFileQueue("", 1, OpenFiles())
        self._store_host = store_host
        self._max_size = max_size
        self._chunk_size = max(1, max_size // _CHUNKS)
        self._chunks = [_Chunk(0)]

    def append_all(
        self, drafts: Sequence[Draft], queue_offsets: Sequence[int], store_time_ms: int
    ) -> list[int]:
        """Append messages side by side; return their commit log offsets."""
        at, offsets, records = self.end, [], []
        for draft, queue_offset in zip(drafts, queue_offsets, strict=True):
            record = encode(draft, queue_offset, at, store_time_ms, self._store_host)
            offsets.append(at)
            records.append(record)
            at += len(record)
        chunk = self._chunk_for(at - self.end)
        for draft, offset, record in zip(drafts, offsets, records, strict=True):
            chunk.data += record
            for key in keys_of(draft.properties):
                chunk.offsets.setdefault((draft.topic, key), []).append(offset)
        self.end, self.last_offset = at, offsets[-1]
        self.last_store_time_ms = store_time_ms
        return offsets

    def in_window(self, position: int, count: int) -> bytes:
        """Return bytes up to the end of their chunk; empty where there are none."""
        if not self.min_offset <= position < self.end:
            return b""
        chunk = self._chunks[bisect_right(self._chunks, position, key=_base) - 1]
        at = position - chunk.base
        return bytes(chunk.data[at : at + count])

    def offsets_of(self, topic: bytes, key: bytes) -> list[int]:
        """Return where the messages of a topic lie that have a key, newest first."""
        found: list[int] = []
        for chunk in reversed(self._chunks):
            found += reversed(chunk.offsets.get((topic, key), ()))
        return found

    def _chunk_for(self, size: int) -> _Chunk:
        """Return the chunk that ``size`` more bytes go to; drop what is too old."""
        last = self._chunks[-1]
        if last.data and len(last.data) + size > self._chunk_size:
            last = _Chunk(self.end)
            self._chunks.append(last)
        while self.end + size - self._chunks[0].base > self._max_size:
            if len(self._chunks) == 1:
                break
            del self._chunks[0]
        self.min_offset = self._chunks[0].base
        return last


def _base(chunk: _Chunk) -> int:
    """Return where a chunk begins."""
    return chunk.base
