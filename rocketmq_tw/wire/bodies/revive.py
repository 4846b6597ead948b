"""
Bodies of the records in the revive log: what was popped, and what acknowledged.

The revive log is a topic, ``rmq_sys_REVIVE_LOG_<cluster>``. The tag of a record says
what it is: ``ck`` a check point, ``ack`` one acknowledgement, ``bAck`` some of one
check point. Numbers are queue offsets, or milliseconds.

Source: ``PopCheckPoint``, ``AckMsg`` and ``BatchAckMsg`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from rocketmq_tw.wire.bodies.body import Body

CHECK_POINT: Final = "ck"
ACK: Final = "ack"
BATCH_ACK: Final = "bAck"

#: Messages that one check point has at most.
MAX_MESSAGES: Final = 32


class CheckPoint(
    Body,
    frozen=True,
    kw_only=True,
    rename={
        "bit_map": "bm",
        "broker_name": "bn",
        "group": "c",
        "differences": "d",
        "invisible_ms": "it",
        "count": "n",
        "pop_time_ms": "pt",
        "queue_id": "q",
        "revive_time_ms": "reviveTime",
        "revive_offset": "ro",
        "reputs": "rp",
        "start_offset": "so",
        "suspend": "sp",
        "topic": "t",
    },
):
    """
    Messages that were handed out together.

    :ivar differences: the offsets of the messages, minus ``start_offset``; empty if
        they are all ``count`` from there on.
    :ivar reputs: how often it was written again, as text.
    :ivar suspend: their redelivery does not count as one.
    """

    bit_map: int = 0
    broker_name: str = ""
    group: str
    differences: list[int] = []
    invisible_ms: int
    count: int
    pop_time_ms: int
    queue_id: int
    revive_time_ms: int = 0
    revive_offset: int = 0
    reputs: str | msgspec.UnsetType | None = msgspec.UNSET
    start_offset: int
    suspend: bool = False
    topic: str

    @property
    def offsets(self) -> Sequence[int]:
        """The queue offsets of the messages."""
        start = self.start_offset
        if not self.differences:
            return range(start, start + self.count)
        return tuple(start + each for each in self.differences[: self.count])

    def encode(self) -> bytes:
        """Encode it, as for each pop: all names and values are plain."""
        return msgspec.json.encode(self)


class AckRecord(
    Body,
    frozen=True,
    kw_only=True,
    rename={
        "offset": "ao",
        "offsets": "aol",
        "broker_name": "bn",
        "group": "c",
        "pop_time_ms": "pt",
        "queue_id": "q",
        "start_offset": "so",
        "topic": "t",
    },
):
    """
    Messages of one check point that need not be handed out again.

    :ivar offset: the one message, or -1.
    :ivar offsets: the messages, if there may be several.
    """

    offset: int
    offsets: list[int] | msgspec.UnsetType = msgspec.UNSET
    broker_name: str = ""
    group: str
    pop_time_ms: int
    queue_id: int
    start_offset: int
    topic: str

    def acknowledged(self) -> Sequence[int]:
        """Return the queue offsets of the messages."""
        if isinstance(self.offsets, list):
            return self.offsets
        return (self.offset,)

    def encode(self) -> bytes:
        """Encode it, as for each acknowledgement."""
        return msgspec.json.encode(self)
