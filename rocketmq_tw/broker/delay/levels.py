"""
Delay levels: their delays, and how a delayed message is stored.

A message with ``DELAY`` = n is stored in queue n - 1 of the topic
``SCHEDULE_TOPIC_XXXX``; properties keep its own topic and queue. The tags code of its
consume queue entry is the time at which it is due, in ms, so the next entry of a queue
shows whether a message has to be delivered.

Source: ``ScheduleMessageService``, ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rocketmq_tw.model.message import (
    DELAY,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMERS,
)
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.record import Draft

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOPIC = SCHEDULE_TOPIC.encode()
#: A level takes precedence over these properties; they are removed.


def parse_levels(text: str) -> tuple[int, ...]:
    """
    Parse delays such as ``1s 5s 1m 2h``.

    :returns: the delay of each level in ms, level 1 first.
    :raises ValueError: a delay is not a number and one of s, m, h, d; or none is given.
    """
    levels = []
    for piece in text.split():
        number, unit = piece[:-1], piece[-1:]
        if not (number.isascii() and number.isdigit() and unit in _SECONDS):
            raise ValueError(
                f'"{piece}" is not a delay: expected a number and s, m, h or d'
            )
        levels.append(int(number) * _SECONDS[unit] * 1000)
    if not levels:
        raise ValueError("there are no delay levels: expected at least one, such as 1s")
    return tuple(levels)


def delay_level(value: str | None) -> int:
    """
    Parse the value of the property ``DELAY``.

    :returns: the level, 0 or less for none; it may exceed the highest level.
    :raises BadField: it is not a number.
    """
    if not value:
        return 0
    digits = value[1:] if value[0] in "+-" else value
    if not digits.isdecimal() or len(digits) > 10:
        raise BadField(f"{DELAY} of the properties", repr(value)[:80], "a whole number")
    return int(value)


class DelayLevels:
    """
    Redirects messages to the schedule topic.

    :param levels_ms: the delay of each level, level 1 first.
    :ivar before: called before each message that is redirected.
    """

    def __init__(self, levels_ms: tuple[int, ...]) -> None:
        self.levels_ms = levels_ms
        self.before: Callable[[], object] = lambda: None

    def schedule(self, draft: Draft, level: int) -> Draft:
        """
        Copy a draft to the schedule topic; properties keep its own topic and queue.

        The delay begins when the store takes the message: its consume queue entry has
        the due time as tags code, see :mod:`rocketmq_tw.store.queues.dispatch`.

        :param level: 1 or more; one above the highest counts as the highest.
        """
        self.before()
        level = min(level, len(self.levels_ms))
        kept = properties.decode(draft.properties.decode("utf-8", "replace"))
        if not TIMERS.isdisjoint(kept):
            kept = {n: v for n, v in kept.items() if n not in TIMERS}
        kept[DELAY] = str(level)
        kept[REAL_TOPIC] = draft.topic.decode()
        kept[REAL_QUEUE_ID] = str(draft.queue_id)
        return msgspec.structs.replace(
            draft,
            topic=_TOPIC,
            queue_id=level - 1,
            properties=properties.encode(kept).encode(),
        )
