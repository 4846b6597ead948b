"""
Reading a queue: from a queue offset to the records, as they go to a consumer.

Tags are filtered by the codes in the consume queue, before a record is touched. Then
one read fetches the records with all that lies between them, as a rule nothing.

Source: ``DefaultMessageStore.getMessage`` of RocketMQ 5.
"""

from collections.abc import Callable
from enum import Enum

import msgspec

from rocketmq_tw.store.commitlog import CommitLog
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.consumequeue import (
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
    entries,
)

#: Records that lie further apart are read one by one.
_MAX_SPAN = 512 << 10

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


class _Picked(msgspec.Struct, gc=False):
    """The entries that passed, and how far the queue was looked through."""

    places: list[tuple[int, int]]
    size: int
    scanned: int
    was_removed: bool


def fetch(
    log: CommitLog,
    queue: ConsumeQueue,
    config: StoreConfig,
    memory_size: int,
    queue_offset: int,
    max_count: int,
    max_size: int,
    matches: Matches | None,
) -> Fetched:
    """
    Read records from a queue offset on.

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
    data = queue.read(queue_offset, wanted)
    if len(data) < ENTRY_SIZE:
        after = queue.files.base_of(queue_offset * ENTRY_SIZE) + queue.files.file_size
        next_offset = min(after // ENTRY_SIZE, high)
        return Fetched(FetchStatus.OFFSET_FOUND_NULL, next_offset, low, high)
    picked = _pick(data, log, config, memory_size, max_count, max_size, matches)
    next_offset = queue_offset + picked.scanned
    places = picked.places
    records, count = _read(log, places, picked.size) if places else (b"", 0)
    if count:
        place = places[-1][0]
        return Fetched(FetchStatus.FOUND, next_offset, low, high, count, records, place)
    status = FetchStatus.NO_MATCHED_MESSAGE
    if picked.was_removed or places:
        status = FetchStatus.MESSAGE_WAS_REMOVING
    return Fetched(status, next_offset, low, high)


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
    log: CommitLog,
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
    log: CommitLog, places: list[tuple[int, int]], total: int
) -> tuple[bytes, int]:
    """
    Read the records and join them.

    :returns: the records and how many they are; those that are gone are left out.
    """
    first = places[0][0]
    span = places[-1][0] + places[-1][1] - first
    if 0 < span <= _MAX_SPAN:
        data = log.files.read(first, span)
        if len(data) == span:
            if span == total:
                return data, len(places)
            cut = [data[place - first : place - first + size] for place, size in places]
            return b"".join(cut), len(places)
    records = [log.files.read(place, size) for place, size in places]
    whole = [
        record
        for record, (_, size) in zip(records, places, strict=True)
        if len(record) == size
    ]
    return b"".join(whole), len(whole)
