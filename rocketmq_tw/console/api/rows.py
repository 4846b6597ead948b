"""
Messages in lists: the beginning of the body, as text if it is some.

A page of whole bodies could have hundreds of megabytes.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from rocketmq_tw.admin.results.messages import FoundMessage

#: What is in no text, but for line ends and the like.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: Bytes of the body that a list shows.
PREVIEW = 240


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message in a list.

    :ivar preview: how its body begins, as text; in hexadecimal if it is not UTF-8.
    :ivar size: bytes of the whole body.
    :ivar origin: the topic of a dead letter before it was one.
    """

    message_id: str
    offset_id: str
    topic: str
    broker: str
    queue_id: int
    queue_offset: int
    tag: str | None
    keys: tuple[str, ...]
    size: int
    stored: datetime | None
    born_host: str
    deliveries: int
    preview: str
    is_text: bool
    origin: str | None = None


def row_of(message: FoundMessage, origin: str | None = None) -> MessageRow:
    """Return what a list shows of a message."""
    preview, is_text = preview_of(message.body)
    return MessageRow(
        message_id=message.message_id,
        offset_id=message.offset_id,
        topic=message.topic,
        broker=message.broker,
        queue_id=message.queue_id,
        queue_offset=message.queue_offset,
        tag=message.tag,
        keys=message.keys,
        size=len(message.body),
        stored=message.stored,
        born_host=message.born_host,
        deliveries=message.deliveries,
        preview=preview,
        is_text=is_text,
        origin=origin,
    )


def preview_of(body: bytes) -> tuple[str, bool]:
    """Return how a body begins, and whether that is text."""
    head = body[:PREVIEW]
    for cut in range(4):  # A character of UTF-8 may be cut in its middle.
        try:
            text = head[: len(head) - cut].decode()
            if _CONTROL.search(text) is None:
                return text, True
            break
        except UnicodeDecodeError:
            if len(head) == len(body):
                break
    return head[: PREVIEW // 6].hex(" "), False
