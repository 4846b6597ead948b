"""
Fetching: from a queue offset to the records, as they are sent to a consumer.

Tags are filtered by the codes in the consume queue, before any record is read. Then one
read fetches the records with everything between them, usually nothing. Bytes that are
not in the page cache are read in a thread (:mod:`rocketmq_tw.store.files.reads`).

Source: ``DefaultMessageStore.getMessage`` of RocketMQ 5.
"""

import os
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import msgspec

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.files.reads import READ_AHEAD, Reads, Steps, piece
from rocketmq_tw.store.files.segments import MappedFileQueue
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
    entries,
)

#: Bytes; records that span more are read one by one.
_MAX_SPAN = 512 << 10
#: Bytes prefetched behind the entries that are read: some thousand entries.
_QUEUE_READ_AHEAD = 128 << 10

Matches = Callable[[int], bool]


class FetchStatus(Enum):
    """How a fetch ended; the name is sent to the consumer as remark."""

    FOUND = "FOUND"
    NO_MATCHED_MESSAGE = "NO_MATCHED_MESSAGE"
    MESSAGE_WAS_REMOVING = "MESSAGE_WAS_REMOVING"
    OFFSET_FOUND_NULL = "OFFSET_FOUND_NULL"
    OFFSET_OVERFLOW_BADLY = "OFFSET_OVERFLOW_BADLY"
    OFFSET_OVERFLOW_ONE = "OFFSET_OVERFLOW_ONE"
    OFFSET_TOO_SMALL = "OFFSET_TOO_SMALL"
    NO_MATCHED_LOGIC_QUEUE = "NO_MATCHED_LOGIC_QUEUE"
    NO_MESSAGE_IN_QUEUE = "NO_MESSAGE_IN_QUEUE"


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """
    The result of a fetch.

    ``data`` holds ``count`` complete records; ``next_offset`` is the queue offset to
    fetch next; ``last_commit_log_offset`` is that of the last record, or -1.
    """

    status: FetchStatus
    next_offset: int
    min_offset: int
    max_offset: int
    count: int = 0
    data: bytes = b""
    last_commit_log_offset: int = -1


class ReadableLog(Protocol):
    """A log that can be read: a commit log, or one in memory."""

    @property
    def min_offset(self) -> int:
        """Return the commit log offset of the oldest record."""

    @property
    def end(self) -> int:
        """Return the end of the newest record."""

    @property
    def files(self) -> MappedFileQueue:
        """Return the files, for bytes outside the window."""

    def in_window(self, position: int, count: int) -> bytes | None:
        """
        Return bytes that are in memory; None if they have to be read from the files.
        """


class StoreView(msgspec.Struct, frozen=True):
    """
    What readers use of a store.

    Records within ``memory_size`` bytes of the end of the log count as being in memory;
    for older ones, one fetch returns fewer messages.
    """

    log: ReadableLog
    reads: Reads
    config: StoreConfig
    memory_size: int


class FetchRequest(msgspec.Struct, frozen=True):
    """
    What to fetch from one queue.

    ``max_size`` is in bytes; the first record is returned even if it is longer.
    ``matches`` takes a tags code; None accepts everything.
    """

    queue_offset: int
    max_count: int
    max_size: int
    matches: Matches | None


class _Picked(msgspec.Struct, gc=False):
    """
    The entries that matched, and how many were examined.

    ``entries`` are pairs of commit log offset and size; ``size`` is the sum of the
    sizes.
    """

    entries: list[tuple[int, int]]
    size: int
    scanned: int
    was_removed: bool


def fetch(
    store: StoreView, queue: ConsumeQueue, request: FetchRequest
) -> Steps[Fetched]:
    """Read records from a queue offset on, in steps."""
    low, high = queue.min_offset, queue.next
    queue_offset, matches = request.queue_offset, request.matches
    misplaced = _misplaced(queue_offset, low, high)
    if misplaced is not None:
        return misplaced
    # Whatever a consumer asks for, no more entries are read than records are returned.
    wanted = max(1, min(request.max_count, store.config.max_messages_in_memory))
    if matches is not None:
        wanted = max(store.config.max_filter_size // ENTRY_SIZE, wanted)
    data = yield from read_entries(queue, store.reads, queue_offset, wanted)
    if len(data) < ENTRY_SIZE:
        after = queue.files.base_of(queue_offset * ENTRY_SIZE) + queue.files.file_size
        next_offset = min(after // ENTRY_SIZE, high)
        return Fetched(FetchStatus.OFFSET_FOUND_NULL, next_offset, low, high)
    picked = _pick(data, store, request)
    next_offset = queue_offset + picked.scanned
    if picked.entries:
        found = _read(store, picked)
        if found is None:
            found = yield from _read_cold(store.log, picked)
        records, count = found
        if count:
            last = picked.entries[-1][0]
            return Fetched(
                FetchStatus.FOUND, next_offset, low, high, count, records, last
            )
    status = FetchStatus.NO_MATCHED_MESSAGE
    if picked.was_removed or picked.entries:
        status = FetchStatus.MESSAGE_WAS_REMOVING
    return Fetched(status, next_offset, low, high)


def read_entries(
    queue: ConsumeQueue, reads: Reads, queue_offset: int, count: int
) -> Steps[bytes]:
    """Read at most ``count`` entries, from the tail or from one file."""
    in_files = queue.written - queue_offset
    if in_files <= 0:
        return queue.read(queue_offset, count)
    at, size = queue_offset * ENTRY_SIZE, min(count, in_files) * ENTRY_SIZE
    data = reads.now(queue.files, at, size)
    if data is None:
        data = (yield [piece(queue.files, at, size, _QUEUE_READ_AHEAD)])[0]
    return data


def _misplaced(queue_offset: int, low: int, high: int) -> Fetched | None:
    """Return the result for an offset outside the queue; None if it is inside."""
    if low <= queue_offset < high:
        return None
    if high == 0:
        return Fetched(FetchStatus.NO_MESSAGE_IN_QUEUE, 0, low, high)
    if queue_offset < low:
        return Fetched(FetchStatus.OFFSET_TOO_SMALL, low, low, high)
    if queue_offset == high:
        return Fetched(FetchStatus.OFFSET_OVERFLOW_ONE, queue_offset, low, high)
    return Fetched(FetchStatus.OFFSET_OVERFLOW_BADLY, high, low, high)


def _pick(data: bytes, store: StoreView, request: FetchRequest) -> _Picked:
    """Choose entries up to the limits, which depend on the age of the first."""
    log, matches = store.log, request.matches
    max_count, max_size = request.max_count, request.max_size
    log_min = log.min_offset
    picked: list[tuple[int, int]] = []
    total = scanned = 0
    was_removed = False
    for offset, size, code in entries(data):
        if offset < log_min or size == PRE_BLANK_SIZE:
            was_removed = True
        elif matches is None or matches(code):
            if not picked:
                config = store.config
                if log.end - offset > store.memory_size:
                    max_count = min(max_count, config.max_messages_on_disk)
                    max_size = min(max_size, config.max_bytes_on_disk)
                else:
                    max_count = min(max_count, config.max_messages_in_memory)
                    max_size = min(max_size, config.max_bytes_in_memory)
            elif len(picked) >= max_count or total + size > max_size:
                break
            picked.append((offset, size))
            total += size
        scanned += 1
    return _Picked(picked, total, scanned, was_removed)


def _read(store: StoreView, picked: _Picked) -> tuple[bytes, int] | None:
    """
    Read the records from memory and join them.

    :returns: the records still in the log and their number; None when
        some are not in memory.
    """
    first, span = _span(picked)
    if 0 < span <= _MAX_SPAN:
        data = read_log(store, first, span)
        if data is None:
            return None
        if len(data) == span:
            return _cut(data, picked)
    records = []
    for offset, size in picked.entries:
        record = read_log(store, offset, size)
        if record is None:
            return None
        records.append(record)
    return _joined(records, picked)


def read_log(store: StoreView, position: int, size: int) -> bytes | None:
    """Read at most to the end of one file; None if the bytes are not in memory."""
    data = store.log.in_window(position, size)
    return store.reads.now(store.log.files, position, size) if data is None else data


def _read_cold(log: ReadableLog, picked: _Picked) -> Steps[tuple[bytes, int]]:
    """Read the records in a thread and join them."""
    first, span = _span(picked)
    if 0 < span <= _MAX_SPAN:
        data = (yield [piece(log.files, first, span, READ_AHEAD)])[0]
        if len(data) == span:
            return _cut(data, picked)
    records = yield [piece(log.files, offset, size) for offset, size in picked.entries]
    return _joined(records, picked)


def _span(picked: _Picked) -> tuple[int, int]:
    """Return the offset of the first record and the size up to the end of the last."""
    first = picked.entries[0][0]
    last, size = picked.entries[-1]
    return first, last + size - first


def _cut(data: bytes, picked: _Picked) -> tuple[bytes, int]:
    """Remove the bytes between the records."""
    if len(data) == picked.size:
        return data, len(picked.entries)
    first = picked.entries[0][0]
    records = [data[at - first : at - first + size] for at, size in picked.entries]
    return b"".join(records), len(records)


def _joined(records: list[bytes], picked: _Picked) -> tuple[bytes, int]:
    """Join the records that were read completely."""
    whole = [
        record
        for record, (_, size) in zip(records, picked.entries, strict=True)
        if len(record) == size
    ]
    return b"".join(whole), len(whole)


def page_cache_size() -> int:
    """Return 40 % of this machine's memory, in bytes, as Apache RocketMQ does."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 40 // 100
