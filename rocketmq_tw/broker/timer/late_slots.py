"""
Where messages wait that are due when they are linked, if they cannot be delivered then.

A slave that acts for its master sends messages elsewhere slot by slot. So what is due
already goes into its own slot, or into the next that is to be emptied. While that is
not done, it may not be said that all before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.store.timer.layout import PLAIN
from rocketmq_tw.store.timer.timers import Timers

#: Takes the slot of a message and that of the present moment; returns its slot and the
#: flags of its record, or None if it is due.
ChooseSlot = Callable[[int, int], "tuple[int, int] | None"]


class LateSlots:
    """Places messages in the slots of one wheel."""

    # Messages of slots from _from_ms on may wait in slots up to _until_ms.

    def __init__(self) -> None:
        self._timers: Timers | None = None
        self._from_ms = self._until_ms = 0

    def begin(self, timers: Timers) -> None:
        """Begin with a wheel that was opened."""
        self._timers = timers

    def choose(self, out_ms: int, write_ms: int) -> tuple[int, int]:
        """Return the slot of a message, and the flags of its record."""
        timers = self._timers
        assert timers is not None, "nothing is linked before the wheel is open"
        placement = timers.placement
        placed = placement.slot_for(out_ms, write_ms)
        if placed is not None:
            return placed
        slot_ms = placement.write_time(out_ms)
        # The messages of the slot that is being emptied are found already.
        first_ms = timers.read_ms + placement.precision_ms
        if slot_ms >= first_ms:
            return slot_ms, PLAIN
        if timers.read_ms > self._until_ms:
            self._from_ms = slot_ms
        self._from_ms = min(self._from_ms, slot_ms)
        self._until_ms = max(self._until_ms, first_ms)
        return first_ms, PLAIN

    def read_ms(self) -> int:
        """Return before which slot all messages are sent; 0 if that is not known."""
        timers = self._timers
        if timers is None:
            return 0
        if timers.read_ms <= self._until_ms:
            return min(timers.read_ms, self._from_ms)
        return timers.read_ms
