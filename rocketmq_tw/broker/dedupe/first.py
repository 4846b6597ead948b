"""
What is read of the first message under a key, when the key comes again.

Bodies are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from rocketmq_tw.store.index.keys import unique_key
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.wire.record_parts import Mismatch, split

#: Size, magic, queue id, queue offset, commit log offset, system flag.
_HEAD = struct.Struct(">II4xI4xqqI")


class First(msgspec.Struct, frozen=True, gc=False):
    """A message that was stored."""

    topic: bytes
    queue_id: int
    key: bytes | None
    stored: Appended


def first_of(data: bytes | memoryview, at: int = 0) -> First | None:
    """Read a record; None if there is none."""
    view = memoryview(data)
    if at + _HEAD.size > len(view):
        return None
    size, magic, queue_id, queue_offset, offset, flags = _HEAD.unpack_from(view, at)
    try:
        parts = split(view, at, size, magic, flags)
    except (Mismatch, struct.error, IndexError):
        return None
    stored = Appended(offset, size, queue_offset, parts.store_time_ms)
    key = unique_key(bytes(parts.properties))
    return First(bytes(parts.topic), queue_id, key, stored)


def firsts_of(data: bytes) -> Iterator[First]:
    """Read records that are back to back."""
    at = 0
    while (found := first_of(data, at)) is not None:
        yield found
        at += found.stored.size
