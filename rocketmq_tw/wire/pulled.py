"""
The messages in the response to a pull: the form of records for the path of every
message.

Half of the time to decode a record was spent on its properties, which few handlers
read. So they are decoded when they are first read. All the rest of a record is copied:
a message that is kept does not keep the response it came with. Measured with 1 KiB of
body and three properties: 0.8 microseconds a record in place of 2.3.

Source: ``MessageDecoder.decodes`` and ``PullAPIWrapper.processPullResult`` of RocketMQ
5.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import MAX_OFFSET, MIN_OFFSET, TAGS, StoredMessage
from rocketmq_tw.model.msgid import host_to_text
from rocketmq_tw.wire import properties as properties_text
from rocketmq_tw.wire import record
from rocketmq_tw.wire.record_layout import (
    BLANK_MAGIC,
    BODY_AT,
    HEAD_V4,
    MAGIC,
    MAGIC_V1,
)

#: Flags of records that are decoded in the general way.
_UNUSUAL: Final = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6 | sysflag.COMPRESSED


class QueueEnds(msgspec.Struct, frozen=True, gc=False):
    """
    The ends of a queue when it was pulled; they become properties of the messages.

    :ivar lowest: the offset of its oldest message.
    :ivar highest: the offset that the next message will get.
    """

    lowest: int
    highest: int

    def add_to(self, properties: dict[str, str]) -> None:
        """Set the two properties."""
        properties[MIN_OFFSET] = str(self.lowest)
        properties[MAX_OFFSET] = str(self.highest)


class PulledMessage(StoredMessage, frozen=True):
    """
    A message whose properties are decoded when they are first read.

    :ivar ends: of its queue; None adds no properties.
    """

    ends: QueueEnds | None = None

    @property  # type: ignore[misc]
    def properties(self) -> dict[str, str]:
        """The properties; the same dict each time."""
        stored = _STORED.__get__(self)
        if stored.__class__ is not bytes:
            return stored  # type: ignore[no-any-return]
        decoded = properties_text.decode(str(stored, "utf-8", "replace"))
        if self.ends is not None:
            self.ends.add_to(decoded)
        _STORED.__set__(self, decoded)
        return decoded

    @property
    def tag(self) -> str | None:
        """The tag, or None; the other properties are not decoded for it."""
        stored = _STORED.__get__(self)
        if stored.__class__ is not bytes:
            return stored.get(TAGS)  # type: ignore[no-any-return]
        return properties_text.find(str(stored, "utf-8", "replace"), TAGS)

    def __eq__(self, other: object) -> bool:
        """Compare as :class:`StoredMessage` does."""
        if not isinstance(other, StoredMessage):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _NAMES)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the text of the :class:`StoredMessage` with the same fields."""
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _NAMES)
        return f"{StoredMessage.__name__}({fields})"


_STORED = StoredMessage.__dict__["properties"]
_NAMES: Final = StoredMessage.__struct_fields__


def decode_pulled(
    data: bytes,
    inflate: record.Inflate | None = None,
    broker_name: str = "",
    ends: QueueEnds | None = None,
) -> list[StoredMessage]:
    """
    Decode records as :func:`~rocketmq_tw.wire.record.decode_all` does.

    :param ends: become properties of the messages.
    :raises MalformedRecord: the bytes behind the last record are not a record.
    """
    messages: list[StoredMessage] = []
    at = 0
    while True:
        at = _decode_usual(data, at, broker_name, ends, messages)
        if at >= len(data) or data[at + MAGIC.start : at + MAGIC.stop] == BLANK_MAGIC:
            return messages
        message = record.decode(data, at, inflate, broker_name)
        if ends is not None:
            ends.add_to(message.properties)
        messages.append(message)
        at += message.size


def _decode_usual(
    data: bytes,
    at: int,
    broker_name: str,
    ends: QueueEnds | None,
    messages: list[StoredMessage],
) -> int:
    """
    Decode records with magic V1, hosts of IPv4 and a plain body, in one loop.

    :returns: the offset of the first one that is another, or damaged; or of the end.
    """
    unpack, append, limit = HEAD_V4.unpack_from, messages.append, len(data)
    last = from_host = store_host = b""
    topic = host_text = store_text = ""
    try:
        while at < limit:
            (
                size, magic, crc, queue_id, flag, queue_offset, position, sys_flag,
                born, born_host, stored_at, host, times, prepared, length,
            ) = unpack(data, at)  # fmt: skip
            body, end = at + BODY_AT, at + size
            behind = body + length
            if magic != MAGIC_V1 or sys_flag & _UNUSUAL or behind >= end or end > limit:
                break
            lengths = behind + 1 + data[behind]
            text = lengths + 2
            if text + (data[lengths] << 8 | data[lengths + 1]) != end:
                break
            # Most records of a pull have the same topic and hosts.
            if (name := data[behind + 1 : lengths]) != last:
                last, topic = name, str(name, "utf-8", "replace")
            if born_host != from_host:
                from_host, host_text = born_host, host_to_text(born_host)
            if host != store_host:
                store_host, store_text = host, host_to_text(host)
            stored: Any = data[text:end]
            message = PulledMessage(
                topic, data[body:behind], queue_id, queue_offset, position, flag,
                sys_flag, born, host_text, stored_at, store_text, times, prepared,
                stored, size, crc, broker_name, ends,
            )  # fmt: skip
            append(message)
            at = end
    except (struct.error, IndexError):
        pass  # it is damaged, as decode() will say
    return at
