"""How long a timed message may wait before it is stored again."""

from __future__ import annotations

from typing import Final

from rocketmq_tw.broker.config import BrokerConfig

_HOUR_MS: Final = 3_600_000


def rolling_window(config: BrokerConfig) -> int:
    """
    Return the window of the wheel in slots, from the settings.

    Files of the commit log are deleted after ``fileReservedTime``. What waits longer
    has to be stored again before that: after two thirds of that time at the latest.
    Apache RocketMQ keeps to ``timerRollWindowSlot`` and loses such messages.
    """
    reserved_ms = config.file_reserved_time * _HOUR_MS * 2 // 3
    slots = reserved_ms // config.timer_precision_ms
    return max(2, min(config.timer_roll_window_slot, slots))
