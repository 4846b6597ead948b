"""
Reading a queue: from a queue offset to the records, as they go to a consumer.

Tags are filtered by the codes in the consume queue, before a record is touched. Then
one read fetches the records with all that lies between them, as a rule nothing. What is
not in memory is read in a thread (:mod:`rocketmq_tw.store.files.reads`).

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

#: Records that lie further apart are read one by one.
_MAX_SPAN = 512 << 10
#: Some thousand entries behind those that are read.
_QUEUE_READ_AHEAD = 128 << 10

Matches = Callable[[int], bool]


class FetchStatus(Enum):
    """How a fetch ended; the names go to the consumer as a remark."""

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
    What a fetch found.

    ``data`` holds ``count`` whole records; ``next_offset`` is the queue offset to ask
    for next; ``last_commit_log_offset`` is the place of the last record, or -1.
    """

    status: FetchStatus
    next_offset: int
    min_offset: int
    max_offset: int
    count: int = 0
    data: bytes = b""
    last_commit_log_offset: int = -1


class ReadableLog(Protocol):
    """What is read from: a commit log, or one in memory."""

    @property
    def min_offset(self) -> int:
        """Return where the oldest record begins."""

    @property
    def end(self) -> int:
        """Return where the newest record ends."""

    @property
    def files(self) -> MappedFileQueue:
        """Return the files of what is not in the window."""

    def in_window(self, position: int, count: int) -> bytes | None:
        """Return bytes that are in memory; None when the files have them."""


class _Picked(msgspec.Struct, gc=False):
    """The entries that passed, and how far the queue was looked through."""

    places: list[tuple[int, int]]
    size: int
    scanned: int
    was_removed: bool


def fetch(
    log: ReadableLog,
    queue: ConsumeQueue,
    reads: Reads,
    config: StoreConfig,
    memory_size: int,
    queue_offset: int,
    max_count: int,
    max_size: int,
    matches: Matches | None,
) -> Steps[Fetched]:
    """
    Read records from a queue offset on, in steps.

    :param memory_size: up to here back from its end the log is taken to be in memory;
        further back, fewer messages are given at a time.
    :param max_size: bytes; the first record is given even when it is longer.
    :param matches: takes a tags code; None lets everything pass.
    """
    low, high = queue.min_offset, queue.next
    misplaced = _misplaced(queue_offset, low, high)
    if misplaced is not None:
        return misplaced
    wanted = max(1, max_count)
    if matches is not None:
        wanted = max(config.max_filter_size // ENTRY_SIZE, wanted)
    data = yield from read_entries(queue, reads, queue_offset, wanted)
    if len(data) < ENTRY_SIZE:
        after = queue.files.base_of(queue_offset * ENTRY_SIZE) + queue.files.file_size
        next_offset = min(after // ENTRY_SIZE, high)
        return Fetched(FetchStatus.OFFSET_FOUND_NULL, next_offset, low, high)
    picked = _pick(data, log, config, memory_size, max_count, max_size, matches)
    next_offset = queue_offset + picked.scanned
    places = picked.places
    if places:
        found = _read(log, reads, places, picked.size)
        if found is None:
            found = yield from _read_cold(log, places, picked.size)
        records, count = found
        if count:
            last = places[-1][0]
            found_it = (FetchStatus.FOUND, next_offset, low, high)
            return Fetched(*found_it, count, records, last)
    status = FetchStatus.NO_MATCHED_MESSAGE
    if picked.was_removed or places:
        status = FetchStatus.MESSAGE_WAS_REMOVING
    return Fetched(status, next_offset, low, high)


def read_entries(
    queue: ConsumeQueue, reads: Reads, queue_offset: int, count: int
) -> Steps[bytes]:
    """Read at most ``count`` entries, of the tail or of one file."""
    in_files = queue.written - queue_offset
    if in_files <= 0:
        return queue.read(queue_offset, count)
    at, size = queue_offset * ENTRY_SIZE, min(count, in_files) * ENTRY_SIZE
    data = reads.now(queue.files, at, size)
    if data is None:
        data = (yield [piece(queue.files, at, size, _QUEUE_READ_AHEAD)])[0]
    return data


def _misplaced(queue_offset: int, low: int, high: int) -> Fetched | None:
    """Return the answer for an offset outside the queue; None when it is inside."""
    if low <= queue_offset < high:
        return None
    if high == 0:
        return Fetched(FetchStatus.NO_MESSAGE_IN_QUEUE, 0, low, high)
    if queue_offset < low:
        return Fetched(FetchStatus.OFFSET_TOO_SMALL, low, low, high)
    if queue_offset == high:
        return Fetched(FetchStatus.OFFSET_OVERFLOW_ONE, queue_offset, low, high)
    return Fetched(FetchStatus.OFFSET_OVERFLOW_BADLY, high, low, high)


def _pick(
    data: bytes,
    log: ReadableLog,
    config: StoreConfig,
    memory_size: int,
    max_count: int,
    max_size: int,
    matches: Matches | None,
) -> _Picked:
    """Choose entries up to the limits, which depend on how old the first is."""
    log_min = log.min_offset
    places: list[tuple[int, int]] = []
    total = scanned = 0
    was_removed = False
    for place, size, code in entries(data):
        if place < log_min or size == PRE_BLANK_SIZE:
            was_removed = True
        elif matches is None or matches(code):
            if not places:
                if log.end - place > memory_size:
                    max_count = min(max_count, config.max_messages_on_disk)
                    max_size = min(max_size, config.max_bytes_on_disk)
                else:
                    max_count = min(max_count, config.max_messages_in_memory)
                    max_size = min(max_size, config.max_bytes_in_memory)
            elif len(places) >= max_count or total + size > max_size:
                break
            places.append((place, size))
            total += size
        scanned += 1
    return _Picked(places, total, scanned, was_removed)


def _read(
    log: ReadableLog, reads: Reads, places: list[tuple[int, int]], total: int
) -> tuple[bytes, int] | None:
    """
    Read the records and join them.

    :returns: the records and how many they are, those that are gone left out; None when
        some are not in memory.
    """
    first = places[0][0]
    span = places[-1][0] + places[-1][1] - first
    if 0 < span <= _MAX_SPAN:
        data = read_log(log, reads, first, span)
        if data is None:
            return None
        if len(data) == span:
            return _cut(data, places, total)
    records = []
    for place, size in places:
        record = read_log(log, reads, place, size)
        if record is None:
            return None
        records.append(record)
    return _joined(records, places)


def read_log(log: ReadableLog, reads: Reads, position: int, size: int) -> bytes | None:
    """Read up to the end of one file; None when that is not in memory."""
    data = log.in_window(position, size)
    return reads.now(log.files, position, size) if data is None else data


def _read_cold(
    log: ReadableLog, places: list[tuple[int, int]], total: int
) -> Steps[tuple[bytes, int]]:
    """Read the records, at least one of which the disk has, and join them."""
    first = places[0][0]
    span = places[-1][0] + places[-1][1] - first
    if 0 < span <= _MAX_SPAN:
        data = (yield [piece(log.files, first, span, READ_AHEAD)])[0]
        if len(data) == span:
            return _cut(data, places, total)
    records = yield [piece(log.files, place, size) for place, size in places]
    return _joined(records, places)


def _cut(data: bytes, places: list[tuple[int, int]], total: int) -> tuple[bytes, int]:
    """Leave out what lies between the records."""
    if len(data) == total:
        return data, len(places)
    first = places[0][0]
    records = [data[place - first : place - first + size] for place, size in places]
    return b"".join(records), len(places)


def _joined(records: list[bytes], places: list[tuple[int, int]]) -> tuple[bytes, int]:
    """Join the records that are there."""
    whole = [
        record
        for record, (_, size) in zip(records, places, strict=True)
        if len(record) == size
    ]
    return b"".join(whole), len(whole)


def memory_size() -> int:
    """Return 40 % of this machine's memory, in bytes, as the original reckons."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 40 // 100
