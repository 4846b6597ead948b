"""
The kinds of messages, by what their properties request.

If a message requests several things, the first member of :class:`Kind` that applies
counts.

Source: ``SendMessageProcessor`` and ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import Enum

from rocketmq_tw.broker.send.properties import Special


class Kind(Enum):
    """How a message is stored."""

    #: Its consumer group gave up: stored at once, whatever its properties request.
    DEAD_LETTER = "dead letter"
    #: Not delivered before its producer commits it.
    TRANSACTIONAL = "transactional"
    #: Delivered after the delay of a level.
    DELAYED = "delayed"
    #: Delivered at a specified time.
    TIMED = "timed"
    #: Delivered at once, from the queue of its priority.
    PRIORITISED = "prioritised"
    #: Delivered at once.
    PLAIN = "plain"


def kind_of(
    special: Special, *, delay_level: int, reconsume_times: int, is_dead_letter: bool
) -> Kind:
    """
    Return the kind of a message whose properties request something special.

    A message that is retried is a copy with all properties of the first. So a copy of a
    transactional message that has a delay is not transactional again.

    :param delay_level: the value of ``DELAY``; 0 or less for no delay.
    :param reconsume_times: how often its consumption failed.
    """
    if is_dead_letter:
        return Kind.DEAD_LETTER
    is_retried = reconsume_times > 0 and delay_level > 0
    if special.is_transactional and not is_retried:
        return Kind.TRANSACTIONAL
    if delay_level > 0:
        return Kind.DELAYED
    if special.is_timed:
        return Kind.TIMED
    return Kind.PLAIN if special.priority is None else Kind.PRIORITISED
