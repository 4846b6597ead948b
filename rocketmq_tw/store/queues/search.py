"""
Looking up single messages: when one was stored, which one a time points at, which one
begins at a place. All in steps, for the disk may have to be waited for.

Source: ``ConsumeQueue.getOffsetInQueueByTime`` of RocketMQ 5.
"""

from rocketmq_tw.model import sysflag
from rocketmq_tw.store.files.reads import Reads, Steps, piece
from rocketmq_tw.store.log.scan import LONGEST
from rocketmq_tw.store.queues.consumequeue import ENTRY, ENTRY_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.fetch import ReadableLog, read_entries, read_log
from rocketmq_tw.wire.record import STORE_TIME_AT, SYS_FLAG_AT, Checked, check

_V6_EXTRA = 12
#: Where a record tells its own commit log offset.
_PLACE = slice(28, 36)
_NEEDED = STORE_TIME_AT + _V6_EXTRA + 8


def record_store_time(
    log: ReadableLog, reads: Reads, commit_log_offset: int
) -> Steps[int]:
    """Return a record's store time in ms; -1 where the log holds none."""
    if not log.min_offset <= commit_log_offset < log.end:
        return -1
    data = yield from _read(log, reads, commit_log_offset, _NEEDED)
    if len(data) < _NEEDED:
        return -1
    sys_flag = int.from_bytes(data[SYS_FLAG_AT : SYS_FLAG_AT + 4], "big")
    at = STORE_TIME_AT + (_V6_EXTRA if sys_flag & sysflag.BORN_HOST_V6 else 0)
    return int.from_bytes(data[at : at + 8], "big", signed=True)


def queue_store_time(
    log: ReadableLog, queue: ConsumeQueue, reads: Reads, queue_offset: int
) -> Steps[int]:
    """Return when a queue's message was stored, in ms; -1 where it is unknown."""
    if not queue.min_offset <= queue_offset < queue.next:
        return -1
    data = yield from read_entries(queue, reads, queue_offset, 1)
    if len(data) < ENTRY_SIZE:
        return -1
    place = ENTRY.unpack(data)[0]
    return (yield from record_store_time(log, reads, place))


def offset_by_time(
    log: ReadableLog, queue: ConsumeQueue, reads: Reads, time_ms: int, upper: bool
) -> Steps[int]:
    """
    Find the queue offset that a time points at.

    Lower boundary: the first message stored then or later; behind the end when there
    is none. Upper boundary: the last message stored then or earlier; the first message
    when there is none. Of messages stored at the same time, the lower boundary is the
    first and the upper one the last.
    """
    low, high = queue.min_offset, queue.next
    while low < high:
        middle = (low + high) // 2
        stored = yield from queue_store_time(log, queue, reads, middle)
        if stored < time_ms or (upper and stored == time_ms):
            low = middle + 1
        else:
            high = middle
    return max(low - 1, queue.min_offset) if upper else low


def record_at(log: ReadableLog, reads: Reads, position: int) -> Steps[bytes | None]:
    """Return the record that begins exactly there; None when none does."""
    if not log.min_offset <= position < log.end:
        return None
    head = yield from _read(log, reads, position, _PLACE.stop)
    # The bytes of a body might look like a record: its own offset tells. And whoever
    # asks for a wrong place must not make us read a gibibyte.
    size = int.from_bytes(head[:4], "big")
    if int.from_bytes(head[_PLACE], "big") != position or size > LONGEST:
        return None
    data = yield from _read(log, reads, position, size)
    if len(data) != size:
        return None
    return data if isinstance(check(data, 0, size, True), Checked) else None


def _read(log: ReadableLog, reads: Reads, position: int, size: int) -> Steps[bytes]:
    """Read up to the end of the log, and of one file."""
    size = min(size, log.end - position)
    data = read_log(log, reads, position, size)
    if data is None:
        data = (yield [piece(log.files, position, size)])[0]
    return data
