"""
The message handler's argument and its outcomes.

A handler that returns normally, with any other value or None, has consumed the message;
an exception means :class:`Retry`. Java treats null as retry; that is not copied here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

import msgspec

from rocketmq_tw.model.message import StoredMessage

#: Called with a message, or with a list of messages if ``batch`` is above 1. Returns an
#: :data:`Outcome`, or any other value, which means :data:`ACK`; or a Deferred,
#: coroutine or asyncio future of these.
MessageHandler = (
    Callable[[StoredMessage], object] | Callable[[list[StoredMessage]], object]
)


class Acknowledgement(Enum):
    """The type of :data:`ACK`."""

    ACK = "consumed"


#: The message is consumed; the same as returning nothing.
ACK: Final = Acknowledgement.ACK


class Retry(msgspec.Struct, frozen=True):
    """
    Deliver the message again, later.

    :ivar level: the delay level; 0 lets the broker choose, longer each time;
        below 0 the message becomes a dead letter at once.
    """

    level: int = 0


#: Do not deliver the message again: it goes to the group's ``%DLQ%`` topic.
DEAD_LETTER: Final = Retry(-1)


class Partial(msgspec.Struct, frozen=True):
    """
    Deliver some messages of a batch again; the others are consumed.

    :ivar level: as in :class:`Retry`.
    """

    failed: Sequence[StoredMessage]
    level: int = 0


#: The outcomes of a handler.
Outcome = Acknowledgement | Retry | Partial | None


def failures(
    outcome: object, messages: list[StoredMessage]
) -> tuple[list[StoredMessage], int]:
    """
    Interpret the value that a handler returned.

    :returns: the messages to deliver again, and the delay level.
    """
    if outcome is None:
        return [], 0
    if isinstance(outcome, Retry):
        return messages, outcome.level
    if isinstance(outcome, Partial):
        offsets = {message.queue_offset for message in outcome.failed}
        return [m for m in messages if m.queue_offset in offsets], outcome.level
    return [], 0
