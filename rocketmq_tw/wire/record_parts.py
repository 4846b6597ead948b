"""
Splits a record of any form into its parts, and records that are back to back; nothing
is decoded.

Source: ``MessageDecoder`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire.record_layout import (
    BORN_HOST_AT,
    HOST_V4_SIZE,
    HOST_V6_SIZE,
    MAGIC_V1,
    MAGIC_V2,
    SIZE,
    TAIL,
    TIME,
    store_time_at,
)


def each_record(data: bytes) -> Iterator[bytes]:
    """Yield the records that are there back to back, as queues are read."""
    at = 0
    while at < len(data):
        end = at + int.from_bytes(data[at : at + SIZE.stop], "big")
        yield data[at:end]
        at = end


class Mismatch(Exception):
    """The lengths within a record do not add up."""


class Parts(msgspec.Struct, gc=False):
    """The parts of a record behind its head, not decoded."""

    born_host: bytes
    store_time_ms: int
    store_host: bytes
    reconsume_times: int
    prepared_offset: int
    body: bytes | memoryview
    topic: bytes | memoryview
    properties: bytes | memoryview


def split(
    data: bytes | memoryview, at: int, size: int, magic: int, sys_flag: int
) -> Parts:
    """
    Split a record behind its head.

    :raises Mismatch: the magic is unknown, or the lengths do not add up to ``size``.
    """
    end = at + size
    if end > len(data):
        raise Mismatch(f"{size} bytes announced, {len(data) - at} left")
    is_v6 = sys_flag & sysflag.STORE_HOST_V6
    store_time = at + store_time_at(sys_flag)
    store_host = store_time + TIME.size
    tail = store_host + (HOST_V6_SIZE if is_v6 else HOST_V4_SIZE)
    reconsume_times, prepared_offset, length = TAIL.unpack_from(data, tail)
    body = tail + TAIL.size
    topic = body + length + 1
    if topic > end:
        raise Mismatch(f"a body of {length} bytes in a record of {size}")
    if magic == MAGIC_V1:
        topic_length = data[topic - 1]
    elif magic == MAGIC_V2:
        topic_length = int.from_bytes(data[topic - 1 : topic + 1], "big")
        topic += 1
    else:
        raise Mismatch(f"unknown magic {magic:#010x}")
    properties = topic + topic_length + 2
    properties_length = int.from_bytes(data[properties - 2 : properties], "big")
    if properties + properties_length != end:
        raise Mismatch("the lengths of the parts do not add up")
    return Parts(
        bytes(data[at + BORN_HOST_AT : store_time]),
        TIME.unpack_from(data, store_time)[0],
        bytes(data[store_host:tail]),
        reconsume_times,
        prepared_offset,
        data[body : body + length],
        data[topic : properties - 2],
        data[properties:end],
    )
