"""What became of a message, as its producer and its consumers have traced it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class TraceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing that happened to a message; what its record does not say is None.

    :ivar kind: ``Pub`` (it was sent), ``SubBefore`` (a handler was about to get it),
        ``SubAfter`` (the handler has ended), ``EndTransaction`` or ``Recall``.
    :ivar client: the address of the client that wrote it.
    :ivar broker: the address of the broker that stored the message.
    :ivar cost: seconds that sending or consuming took.
    :ivar outcome: of a consumption ``SUCCESS``, ``TIME_OUT``, ``EXCEPTION``,
        ``RETURNED_NULL`` or ``FAILED``; of a transaction its state.
    :ivar retries: how often the group had failed before.
    :ivar request_id: the same before and after a consumption.
    """

    kind: str
    client: str
    time: datetime | None = None
    group: str | None = None
    topic: str | None = None
    tag: str | None = None
    keys: str | None = None
    broker: str | None = None
    cost: float | None = None
    success: bool | None = None
    outcome: str | None = None
    retries: int | None = None
    request_id: str | None = None


class MessageTrace(msgspec.Struct, frozen=True):
    """
    The trace of a message.

    :ivar events: in the order of their times.
    :ivar is_complete: False if there may be more records than were looked at.
    :ivar unreadable: records in the same messages that cannot be read.
    """

    message_id: str
    topic: str
    events: tuple[TraceEvent, ...]
    is_complete: bool = True
    unreadable: int = 0
    failed: dict[str, str] = {}
