"""
Fetching: from a queue offset to the records, as they are sent to a consumer.

Tags are filtered by the codes in the consume queue, before any record is read
(:mod:`rocketmq_tw.store.queues.records`). Pulls of all messages that are in memory take
a shorter way (:mod:`rocketmq_tw.store.queues.warm`).

Source: ``DefaultMessageStore.getMessage`` of RocketMQ 5.
"""

import os
from collections.abc import Callable

import msgspec

from rocketmq_tw.store.files.reads import Reads, Steps, piece
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
    entries,
)
from rocketmq_tw.store.queues.fetched import Fetched, FetchStatus, Picked
from rocketmq_tw.store.queues.filtered import Limits, RecordFilter, fetch_accepted
from rocketmq_tw.store.queues.records import (
    ReadableLog,
    StoreView,
    read_cold,
    read_log,
    read_warm,
)

__all__ = [
    "FetchRequest",
    "FetchStatus",
    "Fetched",
    "Matches",
    "ReadableLog",
    "StoreView",
    "fetch",
    "page_cache_size",
    "read_entries",
    "read_log",
]

#: Bytes prefetched behind the entries that are read: some thousand entries.
_QUEUE_READ_AHEAD = 128 << 10

#: A test of tags codes, or a :class:`RecordFilter`.
Matches = Callable[[int], bool]


class FetchRequest(msgspec.Struct, frozen=True):
    """
    What to fetch from one queue.

    ``max_size`` is in bytes; the first record is returned even if it is longer.
    ``matches`` takes a tags code, or is a :class:`RecordFilter`; None accepts
    everything.
    """

    queue_offset: int
    max_count: int
    max_size: int
    matches: Matches | None


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
    if isinstance(matches, RecordFilter):
        limits = _limits(store, request)
        fetched = yield from fetch_accepted(store, data, queue_offset, limits, matches)
        return msgspec.structs.replace(fetched, min_offset=low, max_offset=high)
    picked = _pick(data, store, request)
    next_offset = queue_offset + picked.scanned
    if picked.offsets:
        found = read_warm(store, picked.offsets, picked.sizes)
        if found is None:
            found = yield from read_cold(store.log, picked.offsets, picked.sizes)
        records, count = found
        if count:
            last = picked.offsets[-1]
            return Fetched(
                FetchStatus.FOUND, next_offset, low, high, count, records, last
            )
    status = FetchStatus.NO_MATCHED_MESSAGE
    if picked.was_removed or picked.offsets:
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


def _pick(data: bytes, store: StoreView, request: FetchRequest) -> Picked:
    """Choose entries up to the limits, which depend on the age of the first."""
    log, matches = store.log, request.matches
    max_count, max_size = request.max_count, request.max_size
    log_min = log.min_offset
    offsets: list[int] = []
    sizes: list[int] = []
    total = scanned = 0
    was_removed = False
    for offset, size, code in entries(data):
        if offset < log_min or size == PRE_BLANK_SIZE:
            was_removed = True
        elif matches is None or matches(code):
            if not offsets:
                config = store.config
                if log.end - offset > store.memory_size:
                    max_count = min(max_count, config.max_messages_on_disk)
                    max_size = min(max_size, config.max_bytes_on_disk)
                else:
                    max_count = min(max_count, config.max_messages_in_memory)
                    max_size = min(max_size, config.max_bytes_in_memory)
            elif len(offsets) >= max_count or total + size > max_size:
                break
            offsets.append(offset)
            sizes.append(size)
            total += size
        scanned += 1
    return Picked(offsets, sizes, scanned, was_removed)


def _limits(store: StoreView, request: FetchRequest) -> Limits:
    """Return the limits of a response whose records are chosen by their properties."""
    config = store.config
    return Limits(
        min(request.max_count, config.max_messages_in_memory),
        min(request.max_size, config.max_bytes_in_memory),
    )


def page_cache_size() -> int:
    """Return 40 % of this machine's memory, in bytes, as Apache RocketMQ does."""
    return memory_share(40)


def memory_share(percent: int) -> int:
    """Return a share of this machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * percent // 100
