"""
The records of message traces, which clients write and tools read.

A record is a row of texts with 0x01 between them and 0x02 behind; the body of a trace
message is records, back to back::

    Pub             time region group topic id tags keys host size cost kind offsetId ok
    SubBefore       time region group request id retries keys
    SubAfter        request id cost ok keys outcome time group
    EndTransaction  time region group topic id tags keys host kind id state asked
    Recall          time region group topic id ok

Times are ms since the epoch, costs ms. A text that is missing is written as ``null``,
never as nothing: Java's reader drops what is empty at the end of a record, and with it
all records of the message. A 0x01 or 0x02 in a text would end it, so it is left out.

Source: ``TraceDataEncoder`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

_BETWEEN = "\x01"
_BEHIND = "\x02"
_NULL = "null"
_ENDS = str.maketrans("", "", _BETWEEN + _BEHIND)


class TracedKind(IntEnum):
    """The kinds of messages; Java's readers fail with any other number."""

    NORMAL = 0
    HALF = 1
    COMMIT = 2
    DELAY = 3
    ORDER = 4


class ConsumeOutcome(IntEnum):
    """How the consumption of a message ended."""

    SUCCESS = 0
    TIME_OUT = 1
    EXCEPTION = 2
    RETURNED_NULL = 3
    FAILED = 4


class TracedMessage(msgspec.Struct, frozen=True):
    """
    What all records say of a message.

    :ivar message_id: the unique key; for a batch all of them, with commas between.
    :ivar keys: with blanks between.
    """

    topic: str
    message_id: str
    tags: str | None = None
    keys: str | None = None

    def index_keys(self) -> tuple[str, ...]:
        """Return the keys under which the trace is found."""
        return (self.message_id, *(self.keys or "").split())


def published(
    message: TracedMessage,
    *,
    time_ms: int,
    region: str,
    group: str,
    host: str,
    size: int,
    cost_ms: int,
    kind: TracedKind,
    offset_id: str | None,
    success: bool,
) -> str:
    """
    Return the record of a message that was sent.

    :param host: the broker's, as ``host:port``.
    :param size: bytes of the body, as it was sent.
    """
    return _record(
        "Pub",
        time_ms,
        region,
        group,
        message.topic,
        message.message_id,
        message.tags,
        message.keys,
        host,
        size,
        cost_ms,
        int(kind),
        offset_id,
        success,
    )


def before_consumption(
    message: TracedMessage,
    *,
    time_ms: int,
    region: str,
    group: str,
    request_id: str,
    retries: int,
) -> str:
    """
    Return the record of a message that a handler is about to get.

    :param request_id: one for all messages that the handler gets together.
    """
    return _record(
        "SubBefore",
        time_ms,
        region,
        group,
        request_id,
        message.message_id,
        retries,
        message.keys,
    )


def after_consumption(
    message: TracedMessage,
    *,
    time_ms: int,
    group: str,
    request_id: str,
    cost_ms: int,
    outcome: ConsumeOutcome,
) -> str:
    """
    Return the record of a message that a handler has got.

    :param request_id: that of the record before.
    """
    return _record(
        "SubAfter",
        request_id,
        message.message_id,
        cost_ms,
        outcome is ConsumeOutcome.SUCCESS,
        message.keys,
        int(outcome),
        time_ms,
        group,
    )


def transaction_ended(
    message: TracedMessage,
    *,
    time_ms: int,
    region: str,
    group: str,
    host: str,
    transaction_id: str | None,
    state: str,
    from_check: bool,
) -> str:
    """
    Return the record of the end of a transaction.

    :param state: ``COMMIT_MESSAGE``, ``ROLLBACK_MESSAGE`` or ``UNKNOW``.
    :param from_check: whether the broker has asked for it.
    """
    return _record(
        "EndTransaction",
        time_ms,
        region,
        group,
        message.topic,
        message.message_id,
        message.tags,
        message.keys,
        host,
        int(TracedKind.COMMIT),
        transaction_id,
        state,
        from_check,
    )


def recalled(
    topic: str,
    message_id: str,
    *,
    time_ms: int,
    region: str,
    group: str,
    success: bool,
) -> str:
    """Return the record of a delayed message that was recalled."""
    return _record("Recall", time_ms, region, group, topic, message_id, success)


def _record(*items: str | int | bool | None) -> str:
    """Return the items as one record."""
    return _BETWEEN.join(map(_text, items)) + _BEHIND


def _text(item: str | int | bool | None) -> str:
    """Return an item as Java writes it."""
    if item is None or item == "":
        return _NULL
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if _BETWEEN in item or _BEHIND in item:
        return item.translate(_ENDS) or _NULL
    return item
