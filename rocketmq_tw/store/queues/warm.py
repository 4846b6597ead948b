"""
Fetches all messages from a queue offset on, where they are in memory.

Most pulls are such: no tags are filtered, and entries and records are in memory. The
entries are decoded with one call and chosen together, the records are copied once. With
32 messages of 1 KiB between those of three other queues that takes 8 us from the window
of the log or a part that is mapped for reading, and 14 to 18 from the page cache;
:func:`.fetch.fetch` takes 10 us more.

Where anything is special, nothing is returned, and :func:`.fetch.fetch` does all of it.
What is returned does not differ from what it would return.

Source: as of :mod:`rocketmq_tw.store.queues.fetch`.
"""

from collections.abc import Callable, Sequence
from struct import Struct

from rocketmq_tw.store.queues.consumequeue import (
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
)
from rocketmq_tw.store.queues.fetched import Fetched, FetchStatus
from rocketmq_tw.store.queues.records import MAX_SPAN, StoreView, cut, view_log

_Unpack = Callable[[bytes | bytearray | memoryview], tuple[int, ...]]

#: So many entries are decoded with one call; more are left to the other way.
MOST = 256
_FOUND = FetchStatus.FOUND
_unpacks: dict[int, _Unpack] = {}


def fetch_warm(
    store: StoreView,
    queue: ConsumeQueue,
    queue_offset: int,
    max_count: int,
    max_size: int,
) -> Fetched | None:
    """
    Fetch messages, all of which match.

    :returns: None where there are none, or some are removed, or not in memory.
    """
    low, high = queue.min_offset, queue.next
    if not low <= queue_offset < high:
        return None
    log, config = store.log, store.config
    count = min(max_count, config.max_messages_in_memory, MOST)
    entries = _entries(store, queue, queue_offset, max(count, 1))
    if not entries:
        return None
    offsets, sizes = entries[::3], entries[1::3]
    first = offsets[0]
    if min(offsets) < log.min_offset or PRE_BLANK_SIZE in sizes:
        return None
    if log.end - first > store.memory_size:
        fitting = _fitting(
            sizes,
            min(count, config.max_messages_on_disk),
            min(max_size, config.max_bytes_on_disk),
        )
    else:
        fitting = _fitting(sizes, count, min(max_size, config.max_bytes_in_memory))
    if fitting < len(sizes):
        offsets, sizes = offsets[:fitting], sizes[:fitting]
    last = offsets[-1]
    span = last + sizes[-1] - first
    if not 0 < span <= MAX_SPAN:
        return None
    view = view_log(store, first, span)
    if view is None or len(view) != span:
        return None
    data, count = cut(view, offsets, sizes), len(sizes)
    return Fetched(_FOUND, queue_offset + count, low, high, count, data, last)


def record_warm(
    store: StoreView, queue: ConsumeQueue, queue_offset: int
) -> bytes | None:
    """
    Return the record at a queue offset, if it is in memory: in 0.8 us from the window.

    :returns: None also for what is not there, and for what is longer than 512 KiB.
    """
    if not queue.min_offset <= queue_offset < queue.next:
        return None
    found = _entries(store, queue, queue_offset, 1)
    if not found:
        return None
    at, size, _ = found
    if at < store.log.min_offset or not 0 < size <= MAX_SPAN:
        return None
    view = view_log(store, at, size)
    return None if view is None or len(view) != size else bytes(view)


def _entries(
    store: StoreView, queue: ConsumeQueue, queue_offset: int, count: int
) -> tuple[int, ...]:
    """
    Decode at most ``count`` entries, from the tail or from one file.

    :returns: commit log offset, size and tags code of each; empty where they are not in
        memory.
    """
    in_files = queue.written - queue_offset
    data: bytearray | memoryview | None
    if in_files <= 0:
        at = -in_files * ENTRY_SIZE
        data = queue.tail[at : at + count * ENTRY_SIZE]
    else:
        files, at = queue.files, queue_offset * ENTRY_SIZE
        size = min(count, in_files) * ENTRY_SIZE
        end = queue.written * ENTRY_SIZE
        data = store.entries.view(files, at, size, end)
        if data is None:
            return ()
    count = len(data) // ENTRY_SIZE
    unpack = _unpacks.get(count)
    if unpack is None:
        unpack = _unpacks[count] = Struct(">" + "qiq" * count).unpack
    return unpack(data)


def _fitting(sizes: Sequence[int], max_count: int, max_size: int) -> int:
    """Return how many records fit both limits, at least one."""
    if len(sizes) <= max_count and sum(sizes) <= max_size:
        return len(sizes)
    total = count = 0
    for size in sizes:
        total += size
        if count and (count >= max_count or total > max_size):
            break
        count += 1
    return count
