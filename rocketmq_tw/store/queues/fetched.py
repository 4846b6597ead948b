"""
The result of a fetch, and how it ended.

Source: ``GetMessageResult`` and ``GetMessageStatus`` of RocketMQ 5.
"""

from enum import Enum

import msgspec


class FetchStatus(Enum):
    """How a fetch ended; the name is sent to the consumer as remark."""

    FOUND = "FOUND"
    NO_MATCHED_MESSAGE = "NO_MATCHED_MESSAGE"
    MESSAGE_WAS_REMOVING = "MESSAGE_WAS_REMOVING"
    OFFSET_FOUND_NULL = "OFFSET_FOUND_NULL"
    OFFSET_OVERFLOW_BADLY = "OFFSET_OVERFLOW_BADLY"
    OFFSET_OVERFLOW_ONE = "OFFSET_OVERFLOW_ONE"
    OFFSET_TOO_SMALL = "OFFSET_TOO_SMALL"
    NO_MATCHED_LOGIC_QUEUE = "NO_MATCHED_LOGIC_QUEUE"
    NO_MESSAGE_IN_QUEUE = "NO_MESSAGE_IN_QUEUE"


class Picked(msgspec.Struct, gc=False):
    """
    The entries whose records are read, and how many entries were examined.

    ``offsets`` are commit log offsets; ``sizes`` belong to them.
    """

    offsets: list[int]
    sizes: list[int]
    scanned: int = 0
    was_removed: bool = False


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """
    The result of a fetch.

    ``data`` holds ``count`` complete records; ``next_offset`` is the queue offset to
    fetch next; ``last_commit_log_offset`` is that of the last record, or -1.
    """

    status: FetchStatus
    next_offset: int
    min_offset: int
    max_offset: int
    count: int = 0
    data: bytes = b""
    last_commit_log_offset: int = -1


class QueueEntry(msgspec.Struct, frozen=True, gc=False):
    """Where the record of a message of a queue is, and its tags code."""

    commit_log_offset: int
    size: int
    tags_code: int
