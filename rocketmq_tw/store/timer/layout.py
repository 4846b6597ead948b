"""
The bytes of the timer's files.

``timerwheel`` is one file of 1,209,600 slots, one for each precision step (a second) of
two weeks; after that their indexes come round again::

    slot    time / precision 8   first position 8   last position 8   number 4   total 4

``timerlog/<offset>`` are files of records, one for each message that waits. The records
of a slot are a chain, from the last one backwards::

    record  size 4   previous position 8   flags 4   write time 8   delay 4
            commit log offset 8   size of that record 4   topic hash 4   zero 8
    end     bytes left 4   zero 8   0xCBD43194 4

Times are milliseconds since the epoch. The slot of a record is its write time plus its
delay. See ``doc/format/timer.rst``.

Source: ``Slot``, ``TimerWheel`` and ``TimerLog`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

#: The number of slots: those of two weeks, if each is a second.
SLOTS: Final = 2 * 7 * 86_400
SLOT: Final = struct.Struct(">qqqii")
WHEEL_SIZE: Final = SLOTS * SLOT.size

RECORD: Final = struct.Struct(">iqiqiqiiq")
RECORD_SIZE: Final = RECORD.size
#: What stands where no record fits into the rest of a file.
END: Final = struct.Struct(">iqI")
END_SIZE: Final = END.size
END_MAGIC: Final = 0xCBD43194
#: No previous record.
NONE: Final = -1

#: Flags of a record: every one has the first.
PLAIN: Final = 1
ROLL: Final = 2
DELETE: Final = 4
_ALL_FLAGS: Final = 15


class Slot(msgspec.Struct, frozen=True, gc=False):
    """
    A slot that is not empty.

    :ivar first: the position of its first record in the timer's log.
    :ivar last: the position of its last record.
    :ivar count: messages that wait, minus those that cancel one; below zero at times.
    :ivar total: all records. Apache RocketMQ leaves this at zero.
    """

    first: int
    last: int
    count: int
    total: int = 0


class Link(msgspec.Struct, frozen=True, gc=False):
    """
    A record of the timer's log.

    :ivar previous: the position of the record before it in its slot; -1 for none.
    :ivar flags: ``PLAIN``, with ``ROLL`` or ``DELETE``.
    :ivar write_ms: when it was written.
    :ivar delay_ms: from then to the time of its slot.
    :ivar offset: the commit log offset of the message.
    :ivar size: the size of the message's record in the commit log.
    :ivar topic_hash: the hash of the topic that the message is for.
    """

    previous: int
    flags: int
    write_ms: int
    delay_ms: int
    offset: int
    size: int
    topic_hash: int = 0

    @property
    def slot_ms(self) -> int:
        """The time of its slot."""
        return self.write_ms + self.delay_ms


def decode_link(data: bytes | memoryview, at: int = 0) -> Link | None:
    """Decode a record; None if none is there."""
    if at + RECORD_SIZE > len(data):
        return None
    size, previous, flags, write, delay, offset, length, topic, _ = RECORD.unpack_from(
        data, at
    )
    if size != RECORD_SIZE or not flags & PLAIN or flags & ~_ALL_FLAGS:
        return None
    return Link(previous, flags, write, delay, offset, length, topic)


def is_end(data: bytes | memoryview, at: int = 0) -> bool:
    """Return whether no record follows in this file, because none fits."""
    if at + END_SIZE > len(data):
        return False
    return bool(END.unpack_from(data, at)[2] == END_MAGIC)
