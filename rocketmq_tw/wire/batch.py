"""
The body of a batch: many messages of one topic in one request.

::

    item size 4 (itself included)   magic 4 (0)   body CRC 4 (0)   flag 4
    body length 4   body            properties length 2   properties

The broker stores every item as a record of its own. Source: remoting ``encodeMessages``
and ``decodeMessages`` of ``MessageDecoder``.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.properties import MAX_PROPERTIES

_HEAD = struct.Struct(">IIIiI")
_LENGTH = struct.Struct(">H")
_FIXED = _HEAD.size + _LENGTH.size
#: The most messages of a batch. Where each has a unique key, as Apache RocketMQ's
#: clients give it, 4 MiB of records, the most that its broker stores of a batch, are
#: fewer than 30,000.
MAX_ITEMS = 1 << 15


class MalformedBatch(RocketMQError):
    """A batch body is not a sequence of complete items."""

    def __init__(self, at: int, why: str) -> None:
        """
        :param at: the offset in the body, in bytes.
        :param why: what is wrong there.
        """
        super().__init__(f"the batch is malformed at byte {at}: {why}")
        self.at = at
        self.why = why


class BatchItem(NamedTuple):
    """
    One message of a batch, not decoded.

    :ivar properties: the properties text, encoded.
    """

    flag: int
    body: bytes
    properties: bytes


def encode(items: Iterable[tuple[int, bytes, str]]) -> bytes:
    """
    Encode a batch body.

    :param items: flag, body and properties text of each message.
    :raises MalformedBatch: the properties of an item are over 32,767 bytes.
    """
    parts: list[bytes] = []
    for flag, body, properties in items:
        encoded = properties.encode()
        if len(encoded) > MAX_PROPERTIES:
            raise MalformedBatch(0, f"{len(encoded)} bytes of properties")
        size = _FIXED + len(body) + len(encoded)
        parts += (
            _HEAD.pack(size, 0, 0, flag, len(body)),
            body,
            _LENGTH.pack(len(encoded)),
            encoded,
        )
    return b"".join(parts)


def size_of(body: bytes, properties: str) -> int:
    """Return the size of an item, in bytes."""
    return _FIXED + len(body) + len(properties.encode())


def split(body: bytes, max_items: int = MAX_ITEMS) -> list[BatchItem]:
    """Split a batch body into its items: see :func:`parts`."""
    return [BatchItem(*each) for each in parts(body, max_items)]


def parts(
    body: bytes, max_items: int = MAX_ITEMS
) -> Iterator[tuple[int, bytes, bytes]]:
    """
    Yield flag, body and properties text of each item of a batch body.

    Nothing of it is kept: 32,768 tuples in a list would make the garbage collector look
    at everything else.

    :param max_items: the most items that are read.
    :raises MalformedBatch: an item is cut off, its lengths do not add up, its
        properties are over 32,767 bytes, or there are too many items.
    """
    at = count = 0
    whole = len(body)
    unpack = _HEAD.unpack_from
    while at < whole:
        if count >= max_items:
            raise MalformedBatch(at, f"over {max_items} messages (maxBatchMessages)")
        if at + _FIXED > whole:
            raise MalformedBatch(at, "the body ends within an item's head")
        size, _, _, flag, length = unpack(body, at)
        start = at + 20
        behind = start + length
        end = at + size
        if behind + 2 > end or end > whole:
            raise _bad_sizes(at, size, length, whole)
        properties = body[behind + 2 : end]
        if len(properties) != body[behind] << 8 | body[behind + 1]:
            raise MalformedBatch(at, "the lengths of the parts do not add up")
        if len(properties) > MAX_PROPERTIES:
            raise MalformedBatch(at, f"{len(properties)} bytes of properties")
        yield flag, body[start:behind], properties
        count += 1
        at = end


def _bad_sizes(at: int, size: int, length: int, whole: int) -> MalformedBatch:
    """Return the error for an item that is too short or too long."""
    if size < _FIXED or at + size > whole:
        return MalformedBatch(at, f"an item of {size} bytes runs past the end")
    return MalformedBatch(at, f"a body of {length} in an item of {size} bytes")
