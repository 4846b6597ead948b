"""
The timed messages that wait: a wheel over a log, and how far both were read.

Messages are linked into slots, and slots are emptied in the order of their times::

      read_ms                 write time             write time + window
         |  emptied next          |                        |
    -----+------------------------+------------------------+------>  time
     done                           messages are linked here

Nothing here reads a clock or waits. The caller empties slots until the write time, and
says when each is done.

If the clock is set back, the slots behind the new time are emptied again when it comes.
Their records up to where the log ended then were delivered already, so chains are
followed no further than that.

Source: ``TimerMessageStore`` of RocketMQ 5.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from rocketmq_tw.store.timer.layout import DELETE, NONE, RECORD, RECORD_SIZE
from rocketmq_tw.store.timer.log import TimerLog
from rocketmq_tw.store.timer.placement import Placement
from rocketmq_tw.store.timer.wheel import TimerWheel

_pack = RECORD.pack
#: How often the clock may be set back before the time is again where it was.
MAX_PASSED = 8


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """
    A message that is to wait.

    :ivar slot_ms: the time of its slot.
    :ivar flags: of its record in the timer's log.
    :ivar offset: its commit log offset.
    :ivar size: the size of its record there.
    :ivar topic_hash: the hash of the topic that it is for.
    """

    slot_ms: int
    flags: int
    offset: int
    size: int
    topic_hash: int = 0


class Passed(msgspec.Struct, frozen=True, gc=False):
    """
    Slots that were emptied before the clock was set back.

    :ivar until_ms: those before this time.
    :ivar end: the timer's log ended there, so what is before it was delivered.
    """

    until_ms: int
    end: int


class Chain:
    """
    The messages of a slot, found in steps.

    Seventeen bytes for each message.

    :ivar offsets: their commit log offsets, the last linked first; ``sizes``,
        ``flags`` and ``delays`` belong to them.
    :ivar delays: how long they waited, in ms.
    """

    def __init__(self, slot_ms: int, last: int, stop: int) -> None:
        """
        :param last: the position of its last record.
        :param stop: records before this position were delivered.
        """
        self.slot_ms = slot_ms
        self._position = last
        self._stop = stop
        self.offsets = array("q")
        self.sizes = array("i")
        self.flags = array("B")
        self.delays = array("i")

    def __len__(self) -> int:
        return len(self.offsets)

    def truncate(self, count: int) -> None:
        """Drop the messages from an index on: they are delivered."""
        for each in (self.offsets, self.sizes, self.flags, self.delays):
            del each[count:]

    def keep(self, start: int, indexes: Sequence[int]) -> None:
        """Drop the messages from an index on, but for some of them."""
        for each in (self.offsets, self.sizes, self.flags, self.delays):
            each[start:] = array(each.typecode, [each[index] for index in indexes])

    def follow(self, log: TimerLog, most: int) -> bool:
        """
        Follow the chain for so many records at most.

        :returns: whether it ends there.
        :raises BlockMissing: the log has to load a block first.
        """
        position, stop, slot_ms = self._position, self._stop, self.slot_ms
        get, offsets, sizes = log.get, self.offsets.append, self.sizes.append
        flags, delays = self.flags.append, self.delays.append
        try:
            for _ in range(most):
                if position < stop or position < 0:
                    return True
                link = get(position)
                if link is None or link.write_ms + link.delay_ms != slot_ms:
                    return True
                offsets(link.offset)
                sizes(link.size)
                flags(link.flags)
                delays(link.delay_ms)
                # Chains lead backwards, whatever damaged bytes say.
                position = min(link.previous, position - RECORD_SIZE)
        finally:
            self._position = position
        return False


class Timers:
    """
    The messages that wait.

    :param read_ms: slots before this time are done.
    :param passed: what was emptied before the clock was set back, the latest first.
    :ivar fullest: no slot has more records; once the log's end is known, see
        :meth:`begin`.
    """

    # read_ms is a slot's time. passed has growing times and falling positions; all of
    # its times are above read_ms.

    def __init__(
        self,
        wheel: TimerWheel,
        log: TimerLog,
        placement: Placement,
        read_ms: int,
        passed: Sequence[Passed] = (),
    ) -> None:
        self.wheel = wheel
        self.log = log
        self.placement = placement
        self.read_ms = read_ms
        self.passed = list(passed)
        self.fullest = 0
        self._precision_ms = placement.precision_ms
        # No message waits in a later slot.
        self._latest_ms = read_ms + placement.window_ms
        for each in passed:
            self._latest_ms = max(self._latest_ms, each.until_ms + placement.window_ms)

    def begin(self) -> None:
        """Begin with what is in the log: it may all be due in one slot."""
        bases = self.log.files.bases
        self.fullest = (self.log.end - bases[0]) // RECORD_SIZE if bases else 0

    def write_time(self, now_ms: int) -> int:
        """
        Return the slot of the present moment, and go back to it if it is behind.

        It is behind when the clock was set back. If that was too often, or by days,
        messages wait until the time is again where it was.
        """
        write_ms = self.placement.write_time(now_ms)
        if write_ms < self.read_ms:
            reach_ms = (self.wheel.slots - 2) * self._precision_ms
            is_too_far = self._latest_ms - write_ms >= reach_ms
            if is_too_far or len(self.passed) >= MAX_PASSED:
                return self.read_ms
            self.passed.insert(0, Passed(self.read_ms, self.log.end))
            self.read_ms = write_ms
        return write_ms

    def may_link(self, write_ms: int) -> bool:
        """
        Return whether slots of the window are free of what is to be emptied.

        They are not when nothing was emptied for days.
        """
        reach = write_ms + self.placement.window_ms + self._precision_ms
        return reach - self.read_ms < self.wheel.slots * self._precision_ms

    def link(self, waiting: Sequence[Waiting], write_ms: int) -> None:
        """
        Link messages into their slots.

        The log is written first: what only the wheel has would lead nowhere.

        :raises OSError: none is linked.
        """
        if not waiting:
            return
        slots: dict[int, list[int]] = {}
        records: list[bytes] = []
        fields, replace = self.wheel.fields, self.wheel.replace
        positions = self.log.positions(len(waiting))
        for each, position in zip(waiting, positions, strict=True):
            slot_ms, flags = each.slot_ms, each.flags
            slot = slots.get(slot_ms)
            if slot is None:
                slot = fields(slot_ms) or [position, NONE, 0, 0]
                slots[slot_ms] = slot
            records.append(
                _pack(
                    RECORD_SIZE,
                    slot[1],
                    flags,
                    write_ms,
                    slot_ms - write_ms,
                    each.offset,
                    each.size,
                    each.topic_hash,
                    0,
                )
            )
            slot[1] = position
            slot[2] += -1 if flags & DELETE else 1
            slot[3] += 1
        self.log.append(records, positions)
        self._latest_ms = max(self._latest_ms, *slots)
        fullest = self.fullest
        for slot_ms, slot in slots.items():
            replace(slot_ms, *slot)
            if slot[3] > fullest or slot[2] > fullest:
                fullest = max(slot[2:])
        self.fullest = fullest

    def next_chain(self, write_ms: int, most: int) -> Chain | None:
        """
        Pass empty slots before the write time, ``most`` of them.

        :returns: the messages of the first that is not empty; None if none was found.
        """
        get, step = self.wheel.get, self._precision_ms
        end = min(write_ms, self.read_ms + most * step)
        while self.read_ms < end:
            slot = get(self.read_ms)
            if slot is not None and slot.last >= self._stop(self.read_ms):
                slot_ms = self.read_ms
                return Chain(slot_ms, slot.last, self._stop(slot_ms))
            self._pass(self.read_ms + step)
        return None

    def done(self, chain: Chain) -> None:
        """The messages of a slot are delivered."""
        after = chain.slot_ms + self._precision_ms
        if chain.slot_ms == self.read_ms:
            self._pass(after)
            return
        for index, passed in enumerate(self.passed):
            if passed.until_ms == chain.slot_ms:
                # The clock was set back meanwhile, perhaps twice.
                self.passed[index] = Passed(after, passed.end)

    def _pass(self, read_ms: int) -> None:
        """Advance to a slot."""
        self.read_ms = read_ms
        while self.passed and self.passed[0].until_ms <= read_ms:
            del self.passed[0]

    def _stop(self, slot_ms: int) -> int:
        """Return the position before which a slot's records were delivered."""
        for passed in self.passed:
            if slot_ms < passed.until_ms:
                return passed.end
        return 0
