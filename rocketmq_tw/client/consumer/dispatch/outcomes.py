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

#: The shortest and the longest suspension of a queue, in seconds.
MIN_SUSPENSION: Final = 0.01
MAX_SUSPENSION: Final = 30.0

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


#: Classes of values that mean :data:`ACK`, and are found often; None does, too.
PLAIN: Final = frozenset((Acknowledgement, bool, int, float, str, bytes))


class Retry(msgspec.Struct, frozen=True):
    """
    Deliver the message again, later.

    :ivar level: the delay level; 0 lets the broker choose, longer each time;
        below 0 the message becomes a dead letter at once. Orderly consumers retry
        locally, and know no levels above 0.
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


class Suspend(msgspec.Struct, frozen=True):
    """
    Orderly consumers: retry the message after a while, before all others of its queue.

    A consumer without order treats it as :class:`Retry`.

    :ivar seconds: how long the queue is suspended: 0.01 to 30.
    """

    seconds: float = 1.0


#: The outcomes of a handler.
Outcome = Acknowledgement | Retry | Partial | Suspend | None


class Verdict(msgspec.Struct, frozen=True):
    """
    What becomes of messages that must stay in order.

    :ivar consumed: are consumed.
    :ivar dead: become dead letters.
    :ivar retried: are retried, before all others of their queue.
    :ivar suspend: seconds until then; None: as the consumer is set.
    """

    consumed: list[StoredMessage] = []
    dead: list[StoredMessage] = []
    retried: list[StoredMessage] = []
    suspend: float | None = None


def verdict(outcome: object, messages: list[StoredMessage]) -> Verdict:
    """
    Interpret the value that a handler of an orderly consumer returned.

    Of a batch, the messages before the first failed one are consumed, and all others
    are retried: they must not overtake it.
    """
    if isinstance(outcome, Suspend):
        return Verdict(retried=messages, suspend=outcome.seconds)
    failed, level = failures(outcome, messages)
    if not failed:
        return Verdict(consumed=messages)
    if level < 0:
        offsets = {message.queue_offset for message in failed}
        kept = [m for m in messages if m.queue_offset not in offsets]
        return Verdict(consumed=kept, dead=failed)
    first = messages.index(failed[0])
    return Verdict(consumed=messages[:first], retried=messages[first:])


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
    if isinstance(outcome, Suspend):
        return messages, 0
    return [], 0
