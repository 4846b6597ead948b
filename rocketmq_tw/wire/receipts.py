"""
Receipts of popped messages, and the texts from which a client makes them.

A receipt says which message it is, and of which pop; who has it may acknowledge the
message. It is eight items with a space between them::

    5 1700000000000 60000 3 2 broker-a 0 9
    |       |         |   | |    |     | queue offset of the message
    |       |         |   | |    |     queue id
    |       |         |   | |    broker name
    |       |         |   | 0: the topic itself, 1 and 2: its retry topic, v1 and v2
    |       |         |   queue of the revive log
    |       |         invisible time, ms
    |       pop time, ms since the epoch
    the queue offset at which the pop began to read

A response to a pop does not have the receipts, but two lists, each with an entry for
each queue: ``0 0 5;1 0 7`` says where reading began, and ``0 0 5,6,9;1 0 7`` which
messages there are.

Source: ``ExtraInfoUtil`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rocketmq_tw.model.topic import (
    is_retry,
    pop_retry_topic,
    pop_retry_topic_v2,
)
from rocketmq_tw.wire.errors import BadField

#: The receipt's mark of the topic itself, and of both kinds of its retry topic.
NORMAL, RETRY_V1, RETRY_V2 = 0, 1, 2
#: The longest receipt that is read, in characters.
MAX_LENGTH = 1024
#: Digits of the largest number.
_DIGITS = 20
_ITEMS = 8
#: Entries of a list that are read: a broker has not more queues of a topic.
_MAX_ENTRIES = 65_536


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """
    The receipt of one message.

    :ivar start_offset: where its pop began to read.
    :ivar retry: :data:`NORMAL`, :data:`RETRY_V1` or :data:`RETRY_V2`.
    """

    start_offset: int
    pop_time_ms: int
    invisible_ms: int
    revive_queue: int
    retry: int
    broker_name: str
    queue_id: int
    offset: int

    def encode(self) -> str:
        """Return the text."""
        return (
            f"{self.start_offset} {self.pop_time_ms} {self.invisible_ms}"
            f" {self.revive_queue} {self.retry} {self.broker_name} {self.queue_id}"
            f" {self.offset}"
        )


def parse_receipt(text: str) -> Receipt:
    """
    Parse a receipt; items after the eighth are ignored.

    :raises BadField: an item is missing or no number.
    """
    items = text.split(" ", _ITEMS) if len(text) <= MAX_LENGTH else []
    if len(items) < _ITEMS:
        raise _bad(text)
    try:
        return Receipt(
            start_offset=_number(items[0]),
            pop_time_ms=_number(items[1]),
            invisible_ms=_number(items[2]),
            revive_queue=_number(items[3]),
            retry=_number(items[4]),
            broker_name=items[5],
            queue_id=_number(items[6]),
            offset=_number(items[7]),
        )
    except ValueError:
        raise _bad(text) from None


def retry_mark(topic: str) -> int:
    """Return how receipts mark a topic that messages were read from."""
    if not is_retry(topic):
        return NORMAL
    return RETRY_V2 if "+" in topic else RETRY_V1


def real_topic(topic: str, group: str, retry: int) -> str:
    """Return the topic that a receipt's message was read from."""
    if retry == RETRY_V1:
        return pop_retry_topic(group, topic)
    if retry == RETRY_V2:
        return pop_retry_topic_v2(group, topic)
    return topic


def encode_starts(retry: int, queue_id: int, start_offset: int) -> str:
    """Encode an entry of ``startOffsetInfo``; entries are joined by semicolons."""
    return f"{retry} {queue_id} {start_offset}"


def encode_offsets(retry: int, queue_id: int, offsets: Sequence[int]) -> str:
    """Encode an entry of ``msgOffsetInfo``."""
    return f"{retry} {queue_id} {','.join(map(str, offsets))}"


def parse_starts(text: str | None) -> dict[tuple[int, int], int]:
    """
    Parse ``startOffsetInfo``.

    :returns: maps the mark of the topic and the queue id to where reading began.
    :raises BadField: an entry is malformed, or a queue is there twice.
    """
    return {key: _one(value) for key, value in _entries(text).items()}


def parse_offsets(text: str | None) -> dict[tuple[int, int], list[int]]:
    """
    Parse ``msgOffsetInfo``.

    :returns: maps the mark of the topic and the queue id to the messages' offsets.
    :raises BadField: an entry is malformed, or a queue is there twice.
    """
    try:
        return {
            key: [_number(each) for each in value.split(",")]
            for key, value in _entries(text).items()
        }
    except ValueError:
        raise _bad_list(text or "") from None


def _entries(text: str | None) -> dict[tuple[int, int], str]:
    """Parse what the lists have in common."""
    found: dict[tuple[int, int], str] = {}
    if not text:
        return found
    entries = text.split(";", _MAX_ENTRIES)
    for entry in entries:
        parts = entry.split(" ", 3)
        try:
            retry, queue_id, value = parts
            key = _number(retry), _number(queue_id)
        except ValueError:
            raise _bad_list(text) from None
        if key in found:
            raise _bad_list(text)
        found[key] = value
    return found


def _one(text: str) -> int:
    try:
        return _number(text)
    except ValueError:
        raise _bad_list(text) from None


def _number(text: str) -> int:
    """Parse a number. :raises ValueError: it is none, or too long."""
    if len(text) > _DIGITS:
        raise ValueError(text[:_DIGITS])
    return int(text)


def _bad(text: str) -> BadField:
    return BadField("extraInfo", repr(text[:80]), f"{_ITEMS} items of a receipt")


def _bad_list(text: str) -> BadField:
    expected = "'<retry> <queue> <offset>' for each queue once, joined by ;"
    return BadField("offset info", repr(text[:80]), expected)
