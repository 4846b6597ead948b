"""
The body of a batch: many messages of one topic in one request.

::

    item size 4 (itself included)   magic 4 (0)   body CRC 4 (0)   flag 4
    body length 4   body            properties length 2   properties

The broker stores every item as a record of its own. Source: remoting ``encodeMessages``
and ``decodeMessages`` of ``MessageDecoder``.
"""

import struct
from collections.abc import Iterable
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


def split(body: bytes, max_items: int = MAX_ITEMS) -> list[BatchItem]:
    """
    Split a batch body into its items.

    :param max_items: the most items that are read.
    :raises MalformedBatch: an item is cut off, its lengths do not add up, its
        properties are over 32,767 bytes, or there are too many items.
    """
    items: list[BatchItem] = []
    at = 0
    whole = len(body)
    while at < whole:
        if len(items) >= max_items:
            raise MalformedBatch(at, f"over {max_items} messages (maxBatchMessages)")
        if at + _FIXED > whole:
            raise MalformedBatch(at, "the body ends within an item's head")
        size, _, _, flag, length = _HEAD.unpack_from(body, at)
        start = at + _HEAD.size
        end = at + size
        if size < _FIXED or end > whole:
            raise MalformedBatch(at, f"an item of {size} bytes runs past the end")
        if length > size - _FIXED:
            raise MalformedBatch(at, f"a body of {length} in an item of {size} bytes")
        (properties,) = _LENGTH.unpack_from(body, start + length)
        if _FIXED + length + properties != size:
            raise MalformedBatch(at, "the lengths of the parts do not add up")
        if properties > MAX_PROPERTIES:
            raise MalformedBatch(at, f"{properties} bytes of properties")
        items.append(
            BatchItem(
                flag=flag,
                body=body[start : start + length],
                properties=body[end - properties : end],
            )
        )
        at = end
    return items
