"""
What a message handler gets and may return.

Returning normally, with any other value or none, means that the message is consumed;
raising means :class:`Retry`. Java's "null means retry" is a trap that is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

import msgspec

from rocketmq_tw.model.message import StoredMessage

#: Called with a message, or with a list of them where ``batch`` is above 1. Returns an
#: :data:`Outcome`, or anything else, which means :data:`ACK`; or a Deferred, coroutine
#: or asyncio future of that.
MessageHandler = (
    Callable[[StoredMessage], object] | Callable[[list[StoredMessage]], object]
)


class Acknowledgement(Enum):
    """The outcome that needs no further word."""

    ACK = "consumed"


#: The message is consumed; the same as returning nothing.
ACK: Final = Acknowledgement.ACK


class Retry(msgspec.Struct, frozen=True):
    """
    Deliver the message again, later.

    :ivar level: the delay level to wait; 0 lets the broker choose, longer each time;
        below 0 the message becomes a dead letter at once.
    """

    level: int = 0


#: Deliver the message no more: it goes to the group's ``%DLQ%`` topic.
DEAD_LETTER: Final = Retry(-1)


class Partial(msgspec.Struct, frozen=True):
    """
    Of a batch, deliver some messages again; the others are consumed.

    :ivar level: as in :class:`Retry`.
    """

    failed: Sequence[StoredMessage]
    level: int = 0


#: What a handler may say of its messages.
Outcome = Acknowledgement | Retry | Partial | None


def failures(
    outcome: object, messages: list[StoredMessage]
) -> tuple[list[StoredMessage], int]:
    """
    Read what a handler returned.

    :returns: those of ``messages`` that are to be delivered again, and the delay level.
    """
    if outcome is None:
        return [], 0
    if isinstance(outcome, Retry):
        return messages, outcome.level
    if isinstance(outcome, Partial):
        offsets = {message.queue_offset for message in outcome.failed}
        return [m for m in messages if m.queue_offset in offsets], outcome.level
    return [], 0
