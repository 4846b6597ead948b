"""
Looking up by time: when a message was stored, and which one a time points at.

Source: ``ConsumeQueue.getOffsetInQueueByTime`` of RocketMQ 5.
"""

from rocketmq_tw.model import sysflag
from rocketmq_tw.store.commitlog import CommitLog
from rocketmq_tw.store.consumequeue import ConsumeQueue
from rocketmq_tw.wire.record import STORE_TIME_AT, SYS_FLAG_AT

_V6_EXTRA = 12
_NEEDED = STORE_TIME_AT + _V6_EXTRA + 8


def record_store_time(log: CommitLog, commit_log_offset: int) -> int:
    """Return a record's store time in ms; -1 where the log holds none."""
    if not log.min_offset <= commit_log_offset < log.end:
        return -1
    data = log.read(commit_log_offset, _NEEDED)
    if len(data) < _NEEDED:
        return -1
    sys_flag = int.from_bytes(data[SYS_FLAG_AT : SYS_FLAG_AT + 4], "big")
    at = STORE_TIME_AT + (_V6_EXTRA if sys_flag & sysflag.BORN_HOST_V6 else 0)
    return int.from_bytes(data[at : at + 8], "big", signed=True)


def queue_store_time(log: CommitLog, queue: ConsumeQueue, queue_offset: int) -> int:
    """Return when a queue's message was stored, in ms; -1 where it is unknown."""
    entry = queue.entry(queue_offset)
    return -1 if entry is None else record_store_time(log, entry[0])


def offset_by_time(
    log: CommitLog, queue: ConsumeQueue, time_ms: int, upper: bool
) -> int:
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
        stored = queue_store_time(log, queue, middle)
        if stored < time_ms or (upper and stored == time_ms):
            low = middle + 1
        else:
            high = middle
    return max(low - 1, queue.min_offset) if upper else low
