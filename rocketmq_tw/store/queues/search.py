"""
Looks up single messages, in steps because the disk may have to be waited for.

Source: ``ConsumeQueue.getOffsetInQueueByTime`` of RocketMQ 5.
"""

from collections.abc import Sequence
from operator import add

from rocketmq_tw.store.files.reads import Steps, piece
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY,
    ENTRY_SIZE,
    ConsumeQueue,
    entries,
)
from rocketmq_tw.store.queues.fetch import StoreView, read_entries, read_log
from rocketmq_tw.store.queues.fetched import QueueEntry
from rocketmq_tw.store.queues.records import MAX_SPAN, view_log
from rocketmq_tw.wire import record_layout as layout
from rocketmq_tw.wire.record import Checked, check

#: Records that span so many times their bytes are read one by one.
_SPARSE = 8
#: Up to the end of the store time behind an IPv6 host.
_NEEDED = layout.STORE_TIME_AT + layout.V6_EXTRA + layout.TIME.size


def record_store_time(store: StoreView, commit_log_offset: int) -> Steps[int]:
    """Return a record's store time in ms; -1 if the log does not hold it."""
    if not store.log.min_offset <= commit_log_offset < store.log.end:
        return -1
    data = yield from _read(store, commit_log_offset, _NEEDED)
    if len(data) < _NEEDED:
        return -1
    at = layout.store_time_at(int.from_bytes(data[layout.SYS_FLAG], "big"))
    return int.from_bytes(data[at : at + layout.TIME.size], "big", signed=True)


def queue_store_time(
    store: StoreView, queue: ConsumeQueue, queue_offset: int
) -> Steps[int]:
    """Return when a message of a queue was stored, in ms; -1 if unknown."""
    if not queue.min_offset <= queue_offset < queue.next:
        return -1
    data = yield from read_entries(queue, store.reads, queue_offset, 1)
    if len(data) < ENTRY_SIZE:
        return -1
    commit_log_offset = ENTRY.unpack(data)[0]
    return (yield from record_store_time(store, commit_log_offset))


def queue_entries(
    store: StoreView, queue: ConsumeQueue, queue_offset: int, count: int
) -> Steps[list[QueueEntry]]:
    """Return at most so many entries, of one file; none from outside the queue."""
    if not queue.min_offset <= queue_offset < queue.next or count < 1:
        return []
    data = yield from read_entries(queue, store.reads, queue_offset, count)
    whole = len(data) - len(data) % ENTRY_SIZE
    return [QueueEntry(*entry) for entry in entries(data[:whole])]


def offset_by_time(
    store: StoreView, queue: ConsumeQueue, time_ms: int, upper: bool
) -> Steps[int]:
    """
    Find the queue offset for a time.

    Lower boundary: the first message stored at that time or later; the end of the queue
    if there is none. Upper boundary: the last message stored at that time or earlier;
    the first message if there is none. Of several messages stored at that time, the
    lower boundary is the first and the upper one the last.
    """
    low, high = queue.min_offset, queue.next
    while low < high:
        middle = (low + high) // 2
        stored = yield from queue_store_time(store, queue, middle)
        if stored < time_ms or (upper and stored == time_ms):
            low = middle + 1
        else:
            high = middle
    return max(low - 1, queue.min_offset) if upper else low


def record_at(store: StoreView, position: int) -> Steps[bytes | None]:
    """Return the record that begins at this offset; None if none does."""
    if not store.log.min_offset <= position < store.log.end:
        return None
    head = yield from _read(store, position, layout.COMMIT_LOG_OFFSET.stop)
    # A body may contain bytes that look like a record, so its own offset is compared.
    # The size is checked too, so that a wrong offset never reads a gibibyte.
    size = int.from_bytes(head[layout.SIZE], "big")
    own = int.from_bytes(head[layout.COMMIT_LOG_OFFSET], "big")
    if own != position or size > layout.MAX_RECORD_SIZE:
        return None
    data = yield from _read(store, position, size)
    if len(data) != size:
        return None
    return data if isinstance(check(data, 0, size, True), Checked) else None


def records_at(
    store: StoreView, offsets: Sequence[int], sizes: Sequence[int]
) -> Steps[list[bytes | None]]:
    """
    Return the records that begin at these offsets, and have these sizes.

    None for each that is not there. Their bodies are not checked. Those that lie close
    together and are in memory take 0.4 us each; those scattered in memory 2 us. What is
    not in memory is read together, in a thread.
    """
    near = _near(store, offsets, sizes)
    if near is not None:
        return near
    log, found, cold = store.log, [], []
    for index, (position, size) in enumerate(zip(offsets, sizes, strict=True)):
        data: bytes | None = b""
        is_inside = log.min_offset <= position and position + size <= log.end
        if is_inside and layout.COMMIT_LOG_OFFSET.stop < size < layout.MAX_RECORD_SIZE:
            data = read_log(store, position, size)
            if data is None:
                cold.append(index)
        found.append(data or b"")
    if cold:
        read = yield [piece(log.files, offsets[index], sizes[index]) for index in cold]
        for index, data in zip(cold, read, strict=True):
            found[index] = data
    return [
        data if _is_record(data, position, size) else None
        for data, position, size in zip(found, offsets, sizes, strict=True)
    ]


def _near(
    store: StoreView, offsets: Sequence[int], sizes: Sequence[int]
) -> list[bytes | None] | None:
    """Do as :func:`records_at` with one read; None if that is not possible."""
    if not offsets:
        return []
    first, last = min(offsets), max(map(add, offsets, sizes))
    span = last - first
    if span > min(MAX_SPAN, _SPARSE * sum(sizes)):
        return None
    if first < store.log.min_offset or last > store.log.end:
        return None
    view = view_log(store, first, span)
    if view is None or len(view) != span:
        return None
    found: list[bytes | None] = []
    for position, size in zip(offsets, sizes, strict=True):
        at = position - first
        data = bytes(view[at : at + size])
        found.append(data if _is_record(data, position, size) else None)
    return found


def _is_record(data: bytes, position: int, size: int) -> bool:
    """Return whether these bytes begin as the record of an offset does."""
    return len(data) == size >= layout.LOCATED.size and layout.LOCATED.unpack_from(
        data
    ) == (size, position)


def _read(store: StoreView, position: int, size: int) -> Steps[bytes]:
    """Read at most to the end of the log and of one file."""
    size = min(size, store.log.end - position)
    data = read_log(store, position, size)
    if data is None:
        data = (yield [piece(store.log.files, position, size)])[0]
    return data
