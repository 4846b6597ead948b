"""
Extracts the keys of records in the commit log.

A record can be queried by its unique key, by each word of its ``KEYS``, and by its tag,
which has :data:`TAG` before it. Rolled back transactions have no keys.

Source: ``IndexService.buildIndex`` of RocketMQ 5.
"""

import struct
from collections.abc import Iterator

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire.record import (
    FIXED_SIZE,
    MAGIC_BLANK,
    MAGIC_V1,
    NotARecord,
    check,
)

#: Names of properties, with the separator behind them.
UNIQUE = b"UNIQ_KEY\x01"
KEYS = b"KEYS\x01"
TAGS = b"TAGS\x01"
#: What the tag of a record begins with among its keys.
TAG = "T#"
TAG_KEY = TAG.encode()
_HOSTS_V6 = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
#: Size, magic, system flag, store time and body length of a record with IPv4 hosts.
_HEAD = struct.Struct(">II28xI16xq20xI")
_TRANSACTION, _ROLLBACK = sysflag.TRANSACTION_MASK, sysflag.ROLLBACK
#: No topic, no properties.
_NO_TAIL = bytes(5)
_BLANK = struct.pack(">I", MAGIC_BLANK)

#: Position in the data, size, store time in ms, and the tail (see :func:`split`).
Tailed = tuple[int, int, int, bytes]


def tails(data: bytes, at: int, limit: int) -> Iterator[Tailed]:
    """
    Yield each record from a position on, up to the first incomplete one.

    :param limit: the end of the bytes that may be read.

    Once per message: 0.6 us. Bodies are neither read nor checked.
    """
    unpack, head_size = _HEAD.unpack_from, _HEAD.size
    while at + head_size <= limit:
        size, magic, flags, store_time_ms, length = unpack(data, at)
        end = at + size
        if end > limit or size < FIXED_SIZE:
            return
        if magic != MAGIC_V1 or flags & _HOSTS_V6:
            found = check(data, at, limit, False)
            if isinstance(found, NotARecord):
                return
            tail = _tail_of(found.topic, found.properties)
            store_time_ms = found.store_time_ms
        else:
            tail = data[at + head_size + length : end]
            if not tail:
                return
            if not tail[0]:
                tail = _tail_of(b"", tail[3:])
        if flags & _TRANSACTION == _ROLLBACK:
            tail = _NO_TAIL
        yield at, size, store_time_ms, tail
        at = end


def split(tail: bytes) -> tuple[bytes, int]:
    """
    Take apart what is behind the body of a record.

    That is the length of the topic in one byte, the topic, the length of the properties
    in two, and the properties. A 0 before a length of two bytes stands for a long
    topic. That of a rolled back transaction has neither.

    :returns: the topic, and where the properties begin.
    """
    start, length = 1, tail[0]
    if not length:
        start, length = 3, int.from_bytes(tail[1:3], "big")
    end = start + length
    return tail[start:end], end + 2


def _tail_of(topic: bytes, properties: bytes) -> bytes:
    """Return a tail that :func:`split` takes apart."""
    return b"\0%b%b\0\0%b" % (len(topic).to_bytes(2, "big"), topic, properties)


def is_blank(data: bytes, at: int) -> bool:
    """Return whether the rest of a file, from a position on, is filler."""
    return data[at + 4 : at + 8] == _BLANK


def keys_of(properties: bytes, start: int = 0) -> list[bytes]:
    """
    Return the unique key, the words of KEYS, and the tag.

    :param start: where the properties begin.
    """
    unique = value_of(properties, UNIQUE, start)
    keys = [unique] if unique else []
    if KEYS in properties:
        words = value_of(properties, KEYS, start).split(b" ")
        keys.extend(word for word in words if word)
    tag = value_of(properties, TAGS, start)
    if tag:
        keys.append(TAG_KEY + tag)
    return keys


def without_tag(keys: list[bytes]) -> list[bytes]:
    """Return the keys that Apache RocketMQ before 5.5 has entries for, too."""
    return keys[:-1] if keys and keys[-1].startswith(TAG_KEY) else keys


def unique_key(properties: bytes) -> bytes | None:
    """Return the unique key; None if there is none."""
    return value_of(properties, UNIQUE, 0) or None


def value_of(properties: bytes, name: bytes, start: int) -> bytes:
    """
    Return the value of a property, which is empty if there is none.

    :param name: :data:`UNIQUE`, :data:`KEYS` or :data:`TAGS`.
    :param start: where the properties begin.
    """
    at = properties.find(name, start)
    while at > start and properties[at - 1] != 2:
        at = properties.find(name, at + 1)
    if at < 0:
        return b""
    at += len(name)
    end = properties.find(b"\x02", at)
    return properties[at:] if end < 0 else properties[at:end]
