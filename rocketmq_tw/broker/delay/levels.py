"""
Delay levels: how long each is, and how a message is addressed that waits for one.

A message with ``DELAY`` = n goes to the topic ``SCHEDULE_TOPIC_XXXX``, queue n - 1, its
own topic and queue kept as properties. The tags code of its consume queue entry is the
time at which it is due, in ms, so the next entry of a queue says whether anything is to
be delivered.

Source: ``ScheduleMessageService``, ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.model.message import (
    DELAY,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMER_DELAY_MS,
    TIMER_DELAY_SEC,
    TIMER_DELIVER_MS,
)
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.record import Draft

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOPIC = SCHEDULE_TOPIC.encode()
#: A level takes precedence over these; a scheduled message is stored without them.
_TIMERS = frozenset((TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS))


def parse_levels(text: str) -> tuple[int, ...]:
    """
    Read ``1s 5s 1m 2h``.

    :returns: the delay of each level in ms, level 1 first.
    :raises ValueError: a piece is not a number and one of s, m, h, d, or there is none.
    """
    levels = []
    for piece in text.split():
        number, unit = piece[:-1], piece[-1:]
        if not (number.isascii() and number.isdigit() and unit in _SECONDS):
            raise ValueError(f'"{piece}" is no delay: expected a number and s, m, h, d')
        levels.append(int(number) * _SECONDS[unit] * 1000)
    if not levels:
        raise ValueError("there are no delay levels: expected one at least, such as 1s")
    return tuple(levels)


def delay_level(value: str | None) -> int:
    """
    Read the value of the property ``DELAY``.

    :returns: the level, 0 or less for none; it may be higher than the highest there is.
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
    Addresses messages to the schedule topic.

    :param levels_ms: the delay of each level, level 1 first.
    """

    def __init__(self, levels_ms: tuple[int, ...]) -> None:
        self.levels_ms = levels_ms

    def schedule(self, draft: Draft, level: int) -> Draft:
        """
        Copy a draft to the schedule topic; it keeps its own address as properties.

        The delay begins when the store takes the message: its consume-queue entry has
        the due time as tags code, see :mod:`rocketmq_tw.store.queues.dispatch`.

        :param level: from 1 on; one above the highest there is counts as the highest.
        """
        level = min(level, len(self.levels_ms))
        kept = properties.decode(draft.properties.decode("utf-8", "replace"))
        if not _TIMERS.isdisjoint(kept):
            kept = {n: v for n, v in kept.items() if n not in _TIMERS}
        kept[DELAY] = str(level)
        kept[REAL_TOPIC] = draft.topic.decode()
        kept[REAL_QUEUE_ID] = str(draft.queue_id)
        return msgspec.structs.replace(
            draft,
            topic=_TOPIC,
            queue_id=level - 1,
            properties=properties.encode(kept).encode(),
        )
