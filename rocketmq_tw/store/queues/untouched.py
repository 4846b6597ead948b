"""
Loading a consume queue that is as the queue checkpoint says: with one or two reads.

A broker may have 50,000 queues, most of them in one file that nobody has written to
since the checkpoint. Searching the end and the first offset of each takes some six
reads, with the file opened twice; its known end is believed instead where the last
entry is the known one and nothing follows it.
"""

from __future__ import annotations

import os

from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY,
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
)

_NOTHING = bytes(ENTRY_SIZE)


def load_untouched(queue: ConsumeQueue, known: KnownQueue, log_min: int) -> bool:
    """
    Load a queue if it is as it is known: 20 us.

    :param log_min: the minimum of the commit log.
    :returns: whether it is loaded. Otherwise it is empty still: it has several files
        or none, it has changed, or the records of its first entries are gone.
    """
    files = queue.files
    in_file = files.file_size // ENTRY_SIZE
    if known.first % in_file or not 0 < known.next - known.first < in_file:
        return False
    try:
        descriptor = files.disk.open(files.path(known.first * ENTRY_SIZE), os.O_RDONLY)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_size != files.file_size:
            return False
        if not _is_as_known(descriptor, known, log_min):
            return False
    finally:
        os.close(descriptor)
    queue.loaded(known.first, known.next, known.log_end)
    return True


def _is_as_known(descriptor: int, known: KnownQueue, log_min: int) -> bool:
    """Compare the first and the last entry, and what follows, with what is known."""
    at = (known.next - known.first - 1) * ENTRY_SIZE
    data = os.pread(descriptor, 2 * ENTRY_SIZE, at)
    last, behind = data[:ENTRY_SIZE], data[ENTRY_SIZE:]
    if behind != _NOTHING:
        return False
    offset, size, _ = ENTRY.unpack(last)
    if size == PRE_BLANK_SIZE or offset + size != known.log_end:
        return False
    if at:
        offset, size, _ = ENTRY.unpack(os.pread(descriptor, ENTRY_SIZE, 0))
    return bool(size != PRE_BLANK_SIZE and offset >= log_min)
