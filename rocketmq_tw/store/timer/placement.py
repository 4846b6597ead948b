"""
Where a timed message goes: into a slot of the wheel, or to its topic at once.

A message is not delivered before the time that its sender asked for. Its slot is the
step before that time, and a slot is emptied once the next step has begun::

    asked for  10:00:07.000     slot 10:00:06     delivered from 10:00:07.000 on
    asked for  10:00:05.300     slot 10:00:05     delivered from 10:00:06.000 on

What is due further ahead than the *window* of the wheel *rolls*: it waits in a slot of
the window, is then stored again in the timer's queue, and gets another slot. So its
record is never much older than the window when it is delivered, and files of the commit
log that are older may be deleted.

Source: ``HookUtils.transformTimerMessage`` and ``TimerMessageStore.doEnqueue`` of
RocketMQ 5.
"""

from __future__ import annotations

from typing import Final

from rocketmq_tw.store.timer.layout import PLAIN, ROLL, SLOTS

#: Steps of the window: two days of seconds.
WINDOW: Final = 2 * 86_400
#: A wheel cannot hold a longer window: half of its slots, but a minute.
MAX_WINDOW: Final = SLOTS // 2 - 60
#: What is due so many times sooner behind the window rolls at half of it.
_SHORT_REST: Final = 3


class Placement:
    """
    Places messages.

    :param precision_ms: the time from one slot to the next.
    :param window: how many slots ahead a message may wait before it rolls.
    """

    def __init__(self, precision_ms: int = 1000, window: int = WINDOW) -> None:
        if not 2 <= window <= MAX_WINDOW:
            window = MAX_WINDOW
        self.precision_ms = precision_ms
        self.window_ms = window * precision_ms
        self._half_ms = window // 2 * precision_ms

    def write_time(self, now_ms: int) -> int:
        """Return the slot of the present moment."""
        return now_ms // self.precision_ms * self.precision_ms

    def slot_for(self, out_ms: int, write_ms: int) -> tuple[int, int] | None:
        """
        Return where a message waits.

        :param out_ms: the slot after which it is to be delivered.
        :param write_ms: the slot of the present moment.
        :returns: its slot and the flags of its record; None if it is due.
        """
        ahead = out_ms - write_ms
        if ahead < 0:
            return None
        if ahead < self.window_ms:
            return out_ms - out_ms % self.precision_ms, PLAIN
        rest = ahead - self.window_ms
        is_short = rest * _SHORT_REST < self.window_ms
        return write_ms + (self._half_ms if is_short else self.window_ms), PLAIN | ROLL
