"""
The timer's wheel: which records of the timer's log are due at which time.

A slot whose time is not the wanted one counts as empty. So a slot that was delivered is
left as it is, until its index comes round again.

Source: ``TimerWheel`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

from rocketmq_tw.store.timer.layout import NONE, SLOT, SLOTS, Slot

_SIZE = SLOT.size
_unpack = SLOT.unpack_from
_pack = SLOT.pack_into


class TimerWheel:
    """
    The slots, in a buffer.

    :param buffer: 32 bytes for each slot.
    :param precision_ms: the time from one slot to the next.
    """

    def __init__(
        self, buffer: bytearray | mmap, precision_ms: int = 1000, slots: int = SLOTS
    ) -> None:
        assert len(buffer) == slots * _SIZE
        self._buffer = buffer
        self._precision_ms = precision_ms
        self.slots = slots

    def get(self, time_ms: int) -> Slot | None:
        """Return the slot of a time; None if it is empty."""
        fields = self.fields(time_ms)
        return None if fields is None else Slot(*fields)

    def put(self, time_ms: int, slot: Slot) -> None:
        """Replace the slot of a time."""
        self.replace(time_ms, slot.first, slot.last, slot.count, slot.total)

    def fields(self, time_ms: int) -> list[int] | None:
        """Return the fields of a slot, as :meth:`get` does."""
        step = time_ms // self._precision_ms
        found, *fields = _unpack(self._buffer, step % self.slots * _SIZE)
        return fields if found == step and fields[1] >= 0 else None

    def replace(
        self, time_ms: int, first: int, last: int, count: int, total: int
    ) -> None:
        """Replace the fields of a slot, as :meth:`put` does."""
        step = time_ms // self._precision_ms
        at = step % self.slots * _SIZE
        _pack(self._buffer, at, step, first, last, count, total)

    def clear(self, time_ms: int) -> None:
        """Empty the slot of a time, if it is that time's."""
        step = time_ms // self._precision_ms
        at = step % self.slots * _SIZE
        if _unpack(self._buffer, at)[0] == step:
            _pack(self._buffer, at, 0, NONE, NONE, 0, 0)

    def count(self, time_ms: int, slots: int) -> int:
        """Return how many messages wait in so many slots, from that of a time on."""
        found, step = 0, time_ms // self._precision_ms
        while slots > 0:
            index = step % self.slots
            some = min(slots, self.slots - index)
            data = self._buffer[index * _SIZE : (index + some) * _SIZE]
            for known, _, last, count, _ in SLOT.iter_unpack(data):
                if known == step and last >= 0:
                    found += count
                step += 1
            slots -= some
        return found

    def used(self, begin: int, end: int) -> Iterator[tuple[int, Slot]]:
        """
        Iterate over slots that are, or were, in use, with their times.

        :param begin: the first index; ``end`` is behind the last.
        """
        data = self._buffer[begin * _SIZE : end * _SIZE]
        precision_ms = self._precision_ms
        for step, first, last, count, total in SLOT.iter_unpack(data):
            if step and last >= 0:
                yield step * precision_ms, Slot(first, last, count, total)
