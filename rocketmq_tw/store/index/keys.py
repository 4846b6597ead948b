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

_UNIQUE = b"UNIQ_KEY\x01"
_KEYS = b"KEYS\x01"
_TAGS = b"TAGS\x01"
#: What the tag of a record begins with among its keys.
TAG = "T#"
TAG_KEY = TAG.encode()
_HOSTS_V6 = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
#: Size, magic, system flag, store time and body length of a record with IPv4 hosts.
_HEAD = struct.Struct(">II28xI16xq20xI")
_BLANK = struct.pack(">I", MAGIC_BLANK)

#: Position in the data, size, store time in ms, topic, keys.
Keyed = tuple[int, int, int, bytes, list[bytes]]


def keyed(data: bytes, at: int, limit: int) -> Iterator[Keyed]:
    """
    Yield each record from a position on, up to the first incomplete one.

    :param limit: the end of the bytes that may be read.

    Once per message: 1.1 us, 0.2 us more with a tag. Bodies are neither read nor
    checked.
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
            topic, properties = found.topic, found.properties
            store_time_ms = found.store_time_ms
        else:
            position = at + head_size + length
            if position >= end:
                return
            behind = position + 1 + data[position]
            topic, properties = data[position + 1 : behind], data[behind + 2 : end]
        rolled_back = flags & sysflag.TRANSACTION_MASK == sysflag.ROLLBACK
        keys = [] if rolled_back else keys_of(properties)
        yield at, size, store_time_ms, topic, keys
        at = end


def is_blank(data: bytes, at: int) -> bool:
    """Return whether the rest of a file, from a position on, is filler."""
    return data[at + 4 : at + 8] == _BLANK


def keys_of(properties: bytes) -> list[bytes]:
    """Return the unique key, the words of KEYS, and the tag."""
    unique = unique_key(properties)
    keys = [] if unique is None else [unique]
    if _KEYS in properties:
        text = _value(properties, _KEYS)
        keys.extend(word for word in (text or b"").split(b" ") if word)
    tag = _value(properties, _TAGS)
    if tag is not None:
        keys.append(TAG_KEY + tag)
    return keys


def without_tag(keys: list[bytes]) -> list[bytes]:
    """Return the keys that Apache RocketMQ before 5.5 has entries for, too."""
    return keys[:-1] if keys and keys[-1].startswith(TAG_KEY) else keys


def unique_key(properties: bytes) -> bytes | None:
    """Return the unique key; None if there is none."""
    return _value(properties, _UNIQUE)


def _value(properties: bytes, name: bytes) -> bytes | None:
    """Return the value of a property; ``name`` includes its separator, 0x01."""
    at = properties.find(name)
    while at > 0 and properties[at - 1] != 2:
        at = properties.find(name, at + 1)
    if at < 0:
        return None
    start = at + len(name)
    end = properties.find(b"\x02", start)
    return (properties[start:] if end < 0 else properties[start:end]) or None
