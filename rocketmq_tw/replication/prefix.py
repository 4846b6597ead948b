"""
Whether a slave's commit log is the beginning of its master's.

The stream of replication does not tell: it continues at whatever offset the slave
reports. So the slave compares before it reports anything, by requests that every broker
answers: where the master's log begins and ends, and the record at which its own ends. A
record holds its own offset and the time at which it was stored; two logs that have the
same last record have the same records before it.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from rocketmq_tw.model.errors import RocketMQError


class Bounds(msgspec.Struct, frozen=True):
    """Where a commit log begins and ends."""

    begin: int
    end: int


class MasterLog(Protocol):
    """The master's commit log, by ordinary requests."""

    async def bounds(self) -> Bounds:
        """Return where it begins and ends."""

    async def record_at(self, offset: int) -> bytes | None:
        """Return the record that begins at an offset; None if none does."""


class OwnLog(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the slave has.

    :ivar is_empty: it has no file.
    :ivar last_offset: where the last record begins.
    :ivar last_record: that record; None if there is none, or it cannot be read.
    """

    is_empty: bool
    end: int
    last_offset: int
    last_record: bytes | None


class CannotFollow(RocketMQError):
    """The slave's log is not the beginning of its master's: somebody has to act."""


#: What an operator can do.
_COPY_AGAIN = (
    "To copy everything again, stop this slave, move its commitlog, consumequeue and"
    " index folders away and start it."
)


async def check_prefix(own: OwnLog, master: MasterLog) -> Bounds:
    """
    Compare the logs.

    :returns: the bounds of the master's log.
    :raises CannotFollow: the slave's log is longer, ends before the oldest file of the
        master, or has other messages.
    """
    bounds = await master.bounds()
    if own.is_empty:
        return bounds
    if own.end > bounds.end:
        raise CannotFollow(
            f"its commit log ends at {own.end}, the master's at {bounds.end}: it has"
            " messages that the master lacks. If they are needed, make this broker the"
            f" master. {_COPY_AGAIN}"
        )
    if own.end < bounds.begin:
        raise CannotFollow(
            f"its commit log ends at {own.end}, but the master has deleted everything"
            f" before {bounds.begin}. {_COPY_AGAIN}"
        )
    if own.last_record is None or own.last_offset < bounds.begin:
        return bounds
    theirs = await master.record_at(own.last_offset)
    if theirs != own.last_record:
        raise CannotFollow(
            "its commit log differs from the master's: the messages at offset"
            f" {own.last_offset} are not the same. {_COPY_AGAIN}"
        )
    return bounds
