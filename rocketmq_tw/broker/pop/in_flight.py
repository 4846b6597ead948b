"""
What was popped and is not acknowledged: the machine behind pop. It does no I/O.

A pop hands out some messages of a queue for a time. Each of them is *in flight* until
it is acknowledged; when the time is over, it is *due*, and a copy of it goes to the
group's retry topic. Changing the time of one message makes it a pop of its own::

    available --pop--> in flight --acknowledge--> done
                        |     ^
                        |     change: a check point of its own, and a new time
                        v
                       due --copy stored--> done; the copy is available

What is in flight follows from the records of the revive log alone: a *check point* for
each pop and change, and the acknowledgements (:mod:`rocketmq_tw.broker.pop.journal`).
So after a crash the same records make the same state again. They are read from the
oldest check point on that is in flight; a check point far behind the others is
written once more, so that this is never far.

Source: ``PopReviveService`` and ``PopBufferMergeService`` of RocketMQ 5, which keep
most of this in the timer's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice

import msgspec

from rocketmq_tw.broker.errors import TooManyInFlight
from rocketmq_tw.wire.bodies.revive import MAX_MESSAGES, AckRecord, CheckPoint

#: Milliseconds: times are compared in steps of these.
TICK_MS = 100
#: Check points that are counted, of those whose time is over.
LATE = 10_000
#: Java's largest ``long``.
_LATEST_MS = (1 << 63) - 1
#: Ticks without check points that may be kept besides the others.
_IDLE_TICKS = 1000

#: Topic, group, queue id, start offset and pop time.
Key = tuple[str, str, int, int, int]


class Popped(msgspec.Struct, eq=False, kw_only=True):
    """
    A check point: messages of one queue that were handed out together.

    :ivar topic: where they were read; maybe the group's retry topic.
    :ivar start_offset: where the pop began to read.
    :ivar offsets: the queue offsets of the messages, ascending.
    :ivar revive_queue: the queue of the revive log that has its records.
    :ivar position: its queue offset there.
    :ivar suspend: the redelivery does not count as one.
    :ivar pending: bit k is set while the k-th message is not acknowledged.
    :ivar tick: when it is due; -1 while it is dealt with.
    """

    # 0 < pending < 2 ** len(offsets) as long as it is in flight.

    topic: str
    group: str
    queue_id: int
    start_offset: int
    pop_time_ms: int
    invisible_ms: int
    offsets: Sequence[int]
    revive_queue: int = 0
    position: int = -1
    suspend: bool = False
    pending: int = 0
    tick: int = -1

    @property
    def key(self) -> Key:
        """What identifies it: receipts and records have these."""
        return (
            self.topic,
            self.group,
            self.queue_id,
            self.start_offset,
            self.pop_time_ms,
        )

    @property
    def visible_at_ms(self) -> int:
        """When it is due, in ms since the epoch."""
        return min(self.pop_time_ms + self.invisible_ms, _LATEST_MS)

    def unacknowledged(self) -> list[int]:
        """Return the offsets of the messages that are in flight."""
        pending = self.pending
        return [each for k, each in enumerate(self.offsets) if pending >> k & 1]


class InFlight:
    """
    All check points in flight.

    :param limit: how many there may be.
    :param limit_per_group: how many of one group.
    :param counts_messages: whether :meth:`messages_of` is wanted.
    :ivar refused: how many were not made because of a limit.
    """

    # A check point is in _by_key, _logs and _by_tick, in the last one unless its tick
    # is -1. _ticks is a heap that has all keys of _by_tick, and maybe others.

    def __init__(
        self,
        *,
        limit: int = 200_000,
        limit_per_group: int = 100_000,
        counts_messages: bool = False,
    ) -> None:
        #: How many messages are in flight, by topic, group and queue id.
        self._messages: dict[tuple[str, str, int], int] | None = None
        if counts_messages:
            self._messages = {}
        self._limit = limit
        self._limit_per_group = limit_per_group
        self.refused = 0
        self._by_key: dict[Key, Popped] = {}
        self._by_tick: dict[int, dict[Popped, None]] = {}
        self._ticks: list[int] = []
        self._logs: dict[int, dict[int, Popped]] = {}
        self._of_group: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many check points are in flight."""
        return len(self._by_key)

    def __contains__(self, key: Key) -> bool:
        """Return whether there is such a check point."""
        return key in self._by_key

    def get(self, key: Key) -> Popped | None:
        """Return a check point, or None."""
        return self._by_key.get(key)

    def check_capacity(self, group: str) -> None:
        """
        Check that a group may have one more check point.

        :raises TooManyInFlight: a limit is reached.
        """
        if len(self._by_key) >= self._limit:
            self.refused += 1
            raise TooManyInFlight("maxPopCheckPoints", self._limit)
        if self._of_group.get(group, 0) >= self._limit_per_group:
            self.refused += 1
            raise TooManyInFlight("maxPopCheckPointsPerGroup", self._limit_per_group)

    def add(self, popped: Popped) -> None:
        """
        Let messages be in flight whose check point is written.

        One of the same key is replaced, as when a check point is written again.
        """
        key = popped.key
        known = self._by_key.get(key)
        if known is not None:
            popped.pending &= known.pending
            self._remove(known)
            if not popped.pending:
                return
        self._by_key[key] = popped
        self._logs.setdefault(popped.revive_queue, {})[popped.position] = popped
        self._of_group[popped.group] = self._of_group.get(popped.group, 0) + 1
        if self._messages is not None:
            self._count(popped, popped.pending.bit_count())
        self._schedule(popped, popped.visible_at_ms)

    def acknowledge(self, key: Key, offsets: Iterable[int]) -> list[int]:
        """
        Note that messages need not be handed out again.

        :returns: those that were in flight; what is unknown is ignored.
        """
        popped = self._by_key.get(key)
        if popped is None:
            return []
        known, pending = popped.offsets, popped.pending
        done = []
        for offset in offsets:
            try:
                bit = 1 << known.index(offset)
            except ValueError:
                continue
            if pending & bit:
                pending &= ~bit
                done.append(offset)
        if done and self._messages is not None:
            self._count(popped, -len(done))
        popped.pending = pending
        if not pending:
            self._remove(popped)
        return done

    def messages_of(self, topic: str, group: str, queue_id: int) -> int:
        """Return how many messages of a queue are in flight for a group."""
        return (self._messages or {}).get((topic, group, queue_id), 0)

    def _count(self, popped: Popped, more: int) -> None:
        """Count messages that are in flight, or are no more."""
        assert self._messages is not None
        key = popped.topic, popped.group, popped.queue_id
        count = self._messages.get(key, 0) + more
        if count:
            self._messages[key] = count
        else:
            self._messages.pop(key, None)

    def is_in_flight(self, key: Key, offset: int) -> bool:
        """Return whether a message is in flight under a check point."""
        popped = self._by_key.get(key)
        if popped is None:
            return False
        try:
            return bool(popped.pending >> popped.offsets.index(offset) & 1)
        except ValueError:
            return False

    def take_due(self, now_ms: int, count: int) -> list[Popped]:
        """
        Return check points whose time is over, those of the oldest tick first.

        They stay in flight; they are not returned again unless :meth:`postpone` is
        called.
        """
        taken: list[Popped] = []
        now = now_ms // TICK_MS
        while self._ticks and self._ticks[0] <= now and len(taken) < count:
            of_tick = self._by_tick.get(self._ticks[0])
            if not of_tick:
                self._by_tick.pop(heappop(self._ticks), None)
                continue
            popped, _ = of_tick.popitem()
            popped.tick = -1
            taken.append(popped)
        return taken

    def postpone(self, popped: Popped, until_ms: int) -> None:
        """Let a check point be due later, if it is still in flight."""
        if self._by_key.get(popped.key) is popped:
            self._unschedule(popped)
            self._schedule(popped, until_ms)

    def next_due_ms(self) -> int | None:
        """Return when something may be due next, in ms since the epoch."""
        return self._ticks[0] * TICK_MS if self._ticks else None

    def late(self, now_ms: int) -> dict[int, tuple[int, int]]:
        """
        Count check points whose time is over, and that were not taken yet.

        :returns: for each queue of the log that has some, how many, up to
            :data:`LATE`, and when the first of them was due, in ms since the epoch.
        """
        found: dict[int, tuple[int, int]] = {}
        now, left = now_ms // TICK_MS, LATE
        if not self._ticks or self._ticks[0] > now:
            return found
        for tick in sorted(each for each in self._by_tick if each <= now):
            for popped in islice(self._by_tick[tick], left):
                queue, due_ms = popped.revive_queue, tick * TICK_MS
                count, since_ms = found.get(queue, (0, due_ms))
                found[queue] = count + 1, since_ms
                left -= 1
        return found

    def first_position(self, revive_queue: int) -> int | None:
        """Return the position of the oldest check point of a queue of the log."""
        return next(iter(self._logs.get(revive_queue, ())), None)

    def before(self, revive_queue: int, position: int, count: int) -> list[Popped]:
        """Return the oldest check points of a queue of the log, up to a position."""
        found: list[Popped] = []
        for at, popped in self._logs.get(revive_queue, {}).items():
            if at >= position or len(found) >= count:
                break
            found.append(popped)
        return found

    def move(self, popped: Popped, position: int) -> None:
        """Note that a check point was written again, at a position."""
        log = self._logs[popped.revive_queue]
        del log[popped.position]
        popped.position = position
        log[position] = popped

    def apply_check_point(
        self, record: CheckPoint, revive_queue: int, position: int
    ) -> Popped | None:
        """
        Read a check point of the revive log.

        :returns: None if it is not one that could have been written.
        """
        offsets = record.offsets
        if not 0 < len(offsets) <= MAX_MESSAGES:
            return None
        popped = Popped(
            topic=record.topic,
            group=record.group,
            queue_id=record.queue_id,
            start_offset=record.start_offset,
            pop_time_ms=record.pop_time_ms,
            invisible_ms=record.invisible_ms,
            offsets=offsets,
            revive_queue=revive_queue,
            position=position,
            suspend=record.suspend,
            pending=(1 << len(offsets)) - 1,
        )
        self.add(popped)
        return popped

    def apply_ack(self, record: AckRecord) -> None:
        """Read an acknowledgement of the revive log."""
        key = (
            record.topic,
            record.group,
            record.queue_id,
            record.start_offset,
            record.pop_time_ms,
        )
        self.acknowledge(key, record.acknowledged())

    def _schedule(self, popped: Popped, due_ms: int) -> None:
        """Let a check point be due at a time."""
        tick = -(-due_ms // TICK_MS)
        popped.tick = tick
        of_tick = self._by_tick.get(tick)
        if of_tick is not None:
            of_tick[popped] = None
            return
        self._by_tick[tick] = {popped: None}
        heappush(self._ticks, tick)
        if len(self._ticks) > 2 * len(self._by_tick) + _IDLE_TICKS:
            self._ticks = list(self._by_tick)
            heapify(self._ticks)

    def _unschedule(self, popped: Popped) -> None:
        """Let a check point not be due."""
        if popped.tick < 0 or popped.tick not in self._by_tick:
            return
        of_tick = self._by_tick[popped.tick]
        of_tick.pop(popped, None)
        if not of_tick:
            del self._by_tick[popped.tick]
        popped.tick = -1

    def _remove(self, popped: Popped) -> None:
        """Forget a check point."""
        if self._messages is not None:
            self._count(popped, -popped.pending.bit_count())
        del self._by_key[popped.key]
        del self._logs[popped.revive_queue][popped.position]
        left = self._of_group[popped.group] - 1
        if left:
            self._of_group[popped.group] = left
        else:
            del self._of_group[popped.group]
        self._unschedule(popped)
