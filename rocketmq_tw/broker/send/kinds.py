"""
The kinds of messages: which one a message is of, from what it asks for.

Where a message asks for several things, the first of :class:`Kind` that applies counts.

Source: ``SendMessageProcessor`` and ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import Enum

from rocketmq_tw.broker.send.properties import Special


class Kind(Enum):
    """How a message is to be stored."""

    #: Given up by its consumer group: stored at once, whatever it asked for before.
    DEAD_LETTER = "dead letter"
    #: Not to be delivered before its producer commits it.
    TRANSACTIONAL = "transactional"
    #: Delivered after the delay of a level.
    DELAYED = "delayed"
    #: Delivered at a time of its own.
    TIMED = "timed"
    #: Delivered at once.
    PLAIN = "plain"


def kind_of(
    special: Special, *, delay_level: int, reconsume_times: int, is_dead_letter: bool
) -> Kind:
    """
    Choose the kind of a message that asks for something special.

    A consumed message that is to be tried again is a copy with all its properties: what
    was once transactional is not so again when it comes with a delay.

    :param delay_level: what ``DELAY`` asks for; 0 or less for no delay.
    :param reconsume_times: how often it was consumed in vain.
    """
    if is_dead_letter:
        return Kind.DEAD_LETTER
    is_retried = reconsume_times > 0 and delay_level > 0
    if special.is_transactional and not is_retried:
        return Kind.TRANSACTIONAL
    if delay_level > 0:
        return Kind.DELAYED
    return Kind.TIMED if special.is_timed else Kind.PLAIN
