"""
A run: the messages of one read, stored side by side.

It is for messages with which nothing can go wrong: their queues exist, their sizes are
allowed, and their records fit the part of the log that is mapped already. All others go
through ``put``, one by one. :class:`~rocketmq_tw.store.run_writer.RunWriter` stores it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rocketmq_tw.store.queues.consumequeue import ConsumeQueue


class RunMessage(msgspec.Struct, gc=False):
    """
    One message of a run; both its hosts have IPv4 addresses.

    :ivar queue: where it goes, and so its topic and queue id.
    :ivar size: the size of its record, in bytes.
    :ivar commit_log_offset: where it was stored; likewise ``queue_offset``.
    """

    queue: ConsumeQueue
    size: int
    flag: int
    sys_flag: int
    born_time_ms: int
    born_host: bytes
    body: bytes
    properties: bytes
    tags_code: int
    reconsume_times: int
    commit_log_offset: int = 0
    queue_offset: int = 0


Run = Sequence[RunMessage]


class CopyMessage(RunMessage):
    """
    A copy of a stored message, whose body is intact.

    :ivar body_crc: the checksum in that message's record.
    :ivar source: the commit log offset that the copy names as where it is from.
    """

    body_crc: int = 0
    source: int = 0
