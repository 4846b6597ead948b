"""Messages, as administrators see them."""

from __future__ import annotations

from datetime import datetime

import msgspec


class FoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """
    A stored message.

    :ivar message_id: the id made by its producer; the offset id if there is none.
    :ivar offset_id: the id made of the broker's address and the commit log offset.
    :ivar body: inflated, if it was compressed; as it is stored if that is not possible.
    :ivar properties: all of them, including those of clients and brokers.
    :ivar deliveries: how often its consumers have failed before.
    :ivar flag: a number of its producer's own.
    """

    message_id: str
    offset_id: str
    topic: str
    broker: str
    queue_id: int
    queue_offset: int
    commit_log_offset: int
    tag: str | None
    keys: tuple[str, ...]
    properties: dict[str, str]
    body: bytes
    size: int
    born: datetime | None
    born_host: str
    stored: datetime | None
    store_host: str
    deliveries: int
    flag: int = 0


class Page(msgspec.Struct, frozen=True):
    """
    Messages in the order of their store times.

    :ivar cursor: pass it to get the messages after these; None if there are no more.
    """

    messages: tuple[FoundMessage, ...]
    cursor: str | None = None
    failed: dict[str, str] = {}


class Found(msgspec.Struct, frozen=True):
    """
    Messages with a key, oldest first.

    :ivar is_complete: False if there may be more than the limit.
    :ivar failed: who could not be asked, or not look at all messages, and why.
    """

    messages: tuple[FoundMessage, ...]
    is_complete: bool = True
    failed: dict[str, str] = {}


class Sent(msgspec.Struct, frozen=True):
    """Where a message was stored."""

    message_id: str
    offset_id: str
    topic: str
    broker: str
    queue_id: int
    queue_offset: int
    status: str


class Track(msgspec.Struct, frozen=True):
    """
    What a group has done with a message.

    :ivar state: ``consumed``, ``filtered``, ``waiting``, ``offline``,
        ``broadcasting`` or ``unknown``.
    """

    group: str
    state: str
    why: str = ""


class DirectResult(msgspec.Struct, frozen=True):
    """
    How a consumer fared with a message that it was given at once.

    :ivar result: ``CR_SUCCESS``, ``CR_LATER``, ``CR_THROW_EXCEPTION``...
    :ivar seconds: how long it took.
    """

    result: str
    remark: str
    seconds: float


class DeadLetterQueue(msgspec.Struct, frozen=True):
    """
    The dead letters of a group.

    :ivar messages: how many are kept.
    :ivar last_update: when the last one came.
    """

    group: str
    topic: str
    messages: int
    last_update: datetime | None = None


class DeadLetterQueues(msgspec.Struct, frozen=True):
    """The groups that have dead letters."""

    queues: tuple[DeadLetterQueue, ...]
    failed: dict[str, str] = {}


class Resend(msgspec.Struct, frozen=True):
    """One dead letter that was sent again."""

    message_id: str
    new_message_id: str
    topic: str


class Resent(msgspec.Struct, frozen=True):
    """
    What was sent again; the dead letters themselves are kept.

    :ivar failed: by message id.
    :ivar skipped: those that were sent before, with the copies that say so.
    """

    group: str
    ok: tuple[Resend, ...]
    failed: dict[str, str] = {}
    skipped: tuple[Resend, ...] = ()
