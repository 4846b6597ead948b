"""
From a record of the commit log to its entry in a consume queue.

A live store adds the entry with the message (:meth:`MessageStore.put`). Recovery reads
records again and hands them to :func:`dispatch`, which makes the very same entries.

Source: ``CommitLogDispatcherBuildConsumeQueue`` of RocketMQ 5.
"""

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Checked

SCHEDULE_TOPIC = b"SCHEDULE_TOPIC_XXXX"
#: The delay that stands for a level that does not exist, in milliseconds.
_UNKNOWN_LEVEL_MS = 1000


def has_entry(sys_flag: int) -> bool:
    """
    Return whether a consume queue knows such messages.

    Prepared and rolled back transactions are in the log only. An inner batch belongs
    to another kind of queue, which we do not write.
    """
    kind = sys_flag & sysflag.TRANSACTION_MASK
    queued = kind in (sysflag.NOT_TRANSACTIONAL, sysflag.COMMIT)
    return queued and not sys_flag & sysflag.INNER_BATCH


def entry_code(found: Checked, delay_levels_ms: tuple[int, ...]) -> int:
    """Return the tags code of an entry: a hash, or a delayed message's due time."""
    if found.topic == SCHEDULE_TOPIC:
        level = properties.find(found.properties.decode("utf-8", "replace"), "DELAY")
        if level is not None and level.isdecimal() and int(level) > 0:
            return due_time_ms(int(level), found.store_time_ms, delay_levels_ms)
    return found.tags_code


def due_time_ms(
    level: int, store_time_ms: int, delay_levels_ms: tuple[int, ...]
) -> int:
    """
    Return when a delayed message is due, in ms since the epoch.

    A level above the highest counts as the highest.
    """
    if not delay_levels_ms:
        return store_time_ms + _UNKNOWN_LEVEL_MS
    return store_time_ms + delay_levels_ms[min(level, len(delay_levels_ms)) - 1]


def dispatch(
    queues: ConsumeQueues,
    commit_log_offset: int,
    found: Checked,
    delay_levels_ms: tuple[int, ...],
    may_restart: bool = True,
) -> bool:
    """
    Add the entry of one record; one that is there already stays as it is.

    :param may_restart: see :meth:`ConsumeQueue.put`.
    :returns: whether an entry was added.
    """
    if not has_entry(found.sys_flag):
        return False
    try:
        queue = queues.create(found.topic, found.queue_id)
    except IllegalTopic:
        return False  # it cannot have been readable before either
    code = entry_code(found, delay_levels_ms)
    place = (found.queue_offset, commit_log_offset, found.size)
    return queue.put(*place, code, may_restart)
