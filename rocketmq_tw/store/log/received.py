"""
Finds the records in the bytes of a master's log.

Records in the usual form, with IPv4 hosts and a short topic, are unpacked at once:
1.1 us each with 128 bytes of body, half of what :func:`rocketmq_tw.wire.record.check`
takes. That reads all others, and decides what is damaged.
"""

from __future__ import annotations

from zlib import crc32

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire.record import BLANK, Checked, check
from rocketmq_tw.wire.record_layout import (
    BLANK_MAGIC,
    BODY_AT,
    CRC_MASK,
    FIXED_SIZE,
    HEAD_V4,
    MAGIC_V1,
    MAGICS,
    PREFIX,
)

#: No record or blank may be longer, so no more waits in memory.
LARGEST = 32 << 20
#: So many bytes say what follows, and how long it is.
HEAD = 8

_unpack = HEAD_V4.unpack_from
_V6 = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6


class Received:
    """
    What was found in some bytes.

    :ivar records: whole records, with their offsets in the log.
    :ivar end: how many bytes they and the blanks between them take.
    :ivar damage: what is wrong with the bytes there; None if only the rest is missing.
    """

    def __init__(self) -> None:
        self.records: list[tuple[int, Checked]] = []
        self.end = 0
        self.damage: str | None = None


def scan(data: bytes, start: int, file_size: int) -> Received:
    """
    Find records and blanks.

    :param start: the offset of the bytes in the log: that of a record or blank.
    :param file_size: the size of the log's files, at whose ends blanks are.
    """
    received = Received()
    add, limit = received.records.append, len(data)
    at = 0
    while at + PREFIX.size <= limit:
        left = file_size - (start + at) % file_size
        found: Checked | int | None = usual(data, at, min(limit, at + left))
        if found is None:
            found = _other(data, at, start + at, left, received)
            if found is None:
                break
        if isinstance(found, Checked):
            if found.commit_log_offset != start + at:
                received.damage = f"its record is one for {found.commit_log_offset}"
                break
            add((start + at, found))
            at += found.size
        else:
            at += found
    received.end = at
    return received


def usual(data: bytes, at: int, limit: int) -> Checked | None:
    """Return the facts of a record in the usual form; None if there is none."""
    if at + FIXED_SIZE > limit:
        return None
    head = _unpack(data, at)
    size, magic, crc, queue_id, _, queue_offset, position, sys_flag = head[:8]
    end, length = at + size, head[14]
    topic = at + BODY_AT + length + 1
    if magic != MAGIC_V1 or sys_flag & _V6 or topic > end or end > limit:
        return None
    topic_end = topic + data[topic - 1]
    properties = topic_end + 2
    if properties > end:
        return None
    if properties + (data[topic_end] << 8 | data[topic_end + 1]) != end:
        return None
    body = data[at + BODY_AT : topic - 1]
    if length and crc32(body) & CRC_MASK != crc:
        return None
    return Checked(
        data[topic:topic_end],
        queue_id,
        queue_offset,
        position,
        size,
        sys_flag,
        head[10],
        data[properties:end],
    )


def _other(
    data: bytes, at: int, position: int, left: int, received: Received
) -> Checked | int | None:
    """
    Return the facts of a record, or the size of a whole blank.

    None if it is damaged, or if the rest is missing.
    """
    limit = len(data)
    found = check(data, at, min(limit, at + left), True)
    if isinstance(found, Checked):
        return found
    size = int.from_bytes(data[at : at + 4], "big")
    magic = data[at + 4 : at + 8]
    if found is BLANK or magic == BLANK_MAGIC:
        if size > LARGEST:
            received.damage = f"there is a blank of {size} bytes at {position}"
            return None
        if size != left:
            received.damage = f"its file ends after {size} bytes, ours after {left}"
            return None
        return size if limit - at >= size else None
    if magic not in MAGICS or not size <= min(left, LARGEST):
        received.damage = f"there is no record at {position}"
    elif limit - at >= size:
        received.damage = f"its record at {position} is damaged"
    return None


def is_incomplete(head: bytes, size: int) -> bool:
    """
    Return whether the first record, or blank, certainly is not whole yet.

    :param head: its first :data:`HEAD` bytes, and possibly more.
    :param size: how many bytes there are in all.
    """
    if size < PREFIX.size:
        return True
    expected, _ = PREFIX.unpack_from(head)
    magic = head[4:HEAD]
    is_one = magic in MAGICS or magic == BLANK_MAGIC
    return is_one and size < expected <= LARGEST
