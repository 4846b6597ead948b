"""
Opens the timer's files, whoever wrote them, and makes wheel and log agree.

======================  ==============================================================
what is there           what is done
======================  ==============================================================
our own check point     the log is cut where it says, and what was linked after that
                        is linked again, from the timer's queue
that of another broker  the log ends at its last record, and the queue goes on behind
                        that record's message; slots are set to their last records
no log                  everything in the timer's queue is linked that is due at, or
                        after, the time up to which slots are done
a log, no check point   refused: nobody knows what was delivered
======================  ==============================================================

A log without a wheel gets a new one, made from the records.

Source: ``TimerMessageStore.recover`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.timer.layout import NONE, Link, Slot
from rocketmq_tw.store.timer.log import TimerLog
from rocketmq_tw.store.timer.wheel import TimerWheel

#: Slots that are looked at in one step: some 3 ms.
_AT_ONCE = 16_384
#: Times in a wheel of another precision differ by more than this share.
_TOLERANCE = 20


def relink(
    wheel: TimerWheel, log: TimerLog, start: int, not_before_ms: int = 0
) -> Generator[None, None, Link | None]:
    """
    Set slots to the last of their records, from a position of the log on.

    The log ends where no record is.

    :param not_before_ms: slots before this time are left alone.
    :returns: the log's last record.
    """
    last: Link | None = None
    for found in log.scan(start):
        if found is None:
            yield
            continue
        position, last = found
        slot_ms = last.slot_ms
        if slot_ms < not_before_ms:
            continue
        slot = wheel.get(slot_ms)
        if slot is None:
            slot = Slot(position, position, 0)
        if slot.last < position:
            first = min(slot.first, position)
            slot = Slot(first, position, slot.count, slot.total)
        wheel.put(slot_ms, slot)
    return last


def cut(wheel: TimerWheel, log: TimerLog, end: int) -> Iterator[None]:
    """
    Set slots back whose last records are behind the end of the log, then cut it.

    Chains through what is cut off lead to what stays. Where its bytes are lost, the
    whole log is read.
    """
    lost: dict[int, int] = {}
    for begin in range(0, wheel.slots, _AT_ONCE):
        for slot_ms, slot in wheel.used(begin, min(begin + _AT_ONCE, wheel.slots)):
            if slot.last < end:
                continue
            kept, dropped = _before(log, slot_ms, slot.last, end)
            if kept is None:
                lost[slot_ms] = slot.first
                wheel.clear(slot_ms)
            elif kept == NONE:
                wheel.clear(slot_ms)
            else:
                total = max(slot.total - dropped, 0)
                wheel.put(slot_ms, Slot(slot.first, kept, slot.count - dropped, total))
        yield
    log.truncate(end)
    start = min(lost.values(), default=end)
    if start < end:
        bases = log.files.bases
        yield from relink(wheel, log, max(start, bases[0]) if bases else end)
        log.end = end


def _before(
    log: TimerLog, slot_ms: int, position: int, end: int
) -> tuple[int | None, int]:
    """
    Follow a chain until it is before ``end``, blocking.

    :returns: the position, -1 if the chain ends first, None if it is lost; and how many
        records were passed.
    """
    passed = 0
    while position >= end:
        log.load_blocking(position)
        link = log.get(position)
        if link is None or link.slot_ms != slot_ms or link.previous >= position:
            return None, passed
        position = link.previous
        passed += 1
    return position, passed


def check_precision(
    path: str, wheel: TimerWheel, precision_ms: int, read_ms: int
) -> Iterator[None]:
    """
    Check that the wheel's times are those of this precision.

    :raises StoreUnreadable: they are not.
    """
    for begin in range(0, wheel.slots, _AT_ONCE):
        for slot_ms, _ in wheel.used(begin, min(begin + _AT_ONCE, wheel.slots)):
            if abs(slot_ms - read_ms) * _TOLERANCE > read_ms:
                raise other_precision(path, precision_ms)
        yield


def other_precision(path: str, precision_ms: int) -> StoreUnreadable:
    """Return the error for a wheel of another precision."""
    return StoreUnreadable(
        path,
        f"it was written with another timerPrecisionMs than {precision_ms}; set the"
        " one it was written with",
    )
