"""
Pops in order: a queue of a group is blocked while messages of it are in flight.

The group's offset stays at the first message that is not acknowledged. The next pop
begins there once all are acknowledged, or once the time of one that is not is over;
then those behind it come again too, acknowledged or not, and count as delivered once
more. There is no retry topic. A pop that is sent again with the same attempt id gets
the same messages.

It is written to ``consumerOrderInfo.json`` every ten seconds, as in Apache RocketMQ.
After a kill the messages in flight come again, and so do those that were acknowledged
in the last seconds, since the group's offset is behind.

Source: ``ConsumerOrderInfoManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import msgspec

from rocketmq_tw.broker.errors import TooManyInFlight
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire.bodies.body import Body

#: In receipts, in place of a queue of the revive log.
ORDERED = 999
#: Milliseconds; in steps of these it is looked which queues are free again.
TICK_MS = 200
#: Milliseconds without a pop after which a queue is forgotten.
IDLE_MS = 24 * 3600 * 1000
#: Queues that are encoded in one step: some 2 ms.
_AT_ONCE = 100
#: Messages of one pop.
_MOST = 32
#: Java's largest ``long``.
_LATEST_MS = (1 << 63) - 1

#: Topic, group and queue id.
Queue = tuple[str, str, int]


class Unordered(Enum):
    """Why an acknowledgement moves no offset."""

    #: Apache RocketMQ then takes the message itself for acknowledged.
    NO_POP = "no pop of this queue is known"
    OTHER_POP = "the receipt is of another pop"
    NOT_POPPED = "the message was not popped"


class OrderInfo(
    Body,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "attempt_id": "a",
        "acknowledged": "cm",
        "invisible_ms": "i",
        "last_ms": "l",
        "offsets": "o",
        "counts": "oc",
        "visible_ms": "ot",
        "pop_time_ms": "popTime",
    },
):
    """
    The last pop of a queue, as in the file.

    :ivar acknowledged: bit k is set if the k-th message is acknowledged.
    :ivar offsets: the first one, and the others minus the first.
    :ivar counts: how often messages were delivered before, if they were.
    :ivar visible_ms: when messages are visible whose time was changed.
    """

    attempt_id: str | None = None
    acknowledged: int = 0
    invisible_ms: int | None = None
    last_ms: int = 0
    offsets: list[int] = []
    counts: dict[int, int] | None = None
    visible_ms: dict[int, int] | None = None
    pop_time_ms: int = 0


class OrderTable(Body, frozen=True):
    """``consumerOrderInfo.json``: by ``topic@group`` and queue id."""

    table: dict[str, dict[int, OrderInfo]] = {}


class _Pop(msgspec.Struct, eq=False, kw_only=True):
    """The last pop of a queue; ``tick`` is when the queue is free, -1 for now."""

    offsets: Sequence[int]
    pop_time_ms: int
    invisible_ms: int
    attempt_id: str | None
    counts: dict[int, int] = {}
    visible_ms: dict[int, int] = {}
    acknowledged: int = 0
    tick: int = -1

    def visible_at(self, offset: int) -> int:
        """Return when a message may come again."""
        due = self.visible_ms.get(offset, self.pop_time_ms + self.invisible_ms)
        return min(due, _LATEST_MS)

    def free_at(self) -> int:
        """Return when the queue is free; 0 if all messages are acknowledged."""
        return max(
            (
                self.visible_at(offset)
                for k, offset in enumerate(self.offsets)
                if not self.acknowledged >> k & 1
            ),
            default=0,
        )

    def next_offset(self) -> int:
        """Return the offset of the first message that is not acknowledged."""
        for k, offset in enumerate(self.offsets):
            if not self.acknowledged >> k & 1:
                return offset
        return self.offsets[-1] + 1


class OrderedPops:
    """
    The last pop of each queue and group that pops in order.

    :param limit: how many there may be (``maxPopOrderedQueues``).
    :ivar refused: how many were refused because of the limit.
    """

    # A queue is in _by_tick while its pop has a tick.

    def __init__(self, limit: int = 5_000) -> None:
        self._limit = limit
        self.refused = 0
        self._pops: dict[Queue, _Pop] = {}
        self._by_tick: dict[int, dict[Queue, None]] = {}

    def __len__(self) -> int:
        """Return how many queues of groups are known."""
        return len(self._pops)

    def is_blocked(self, queue: Queue, attempt_id: str | None, now_ms: int) -> bool:
        """Return whether a pop has to wait for messages in flight."""
        pop = self._pops.get(queue)
        if pop is None or now_ms >= pop.free_at():
            return False
        return attempt_id is None or attempt_id != pop.attempt_id

    def begin(
        self,
        queue: Queue,
        offsets: Sequence[int],
        *,
        pop_time_ms: int,
        invisible_ms: int,
        attempt_id: str | None,
    ) -> list[int]:
        """
        Note a pop.

        :returns: how often each of the messages was delivered before.
        :raises TooManyInFlight: no more queues are kept.
        """
        before = self._pops.get(queue)
        if before is None and len(self._pops) >= self._limit:
            self.refused += 1
            raise TooManyInFlight("maxPopOrderedQueues", self._limit)
        counts: dict[int, int] = {}
        if before is not None:
            self._unschedule(queue, before)
            is_same = attempt_id is not None and attempt_id == before.attempt_id
            for offset in before.offsets if not is_same else ():
                counts[offset] = before.counts.get(offset, 0) + 1
            if is_same:
                counts = before.counts
        pop = _Pop(
            offsets=list(offsets),
            pop_time_ms=pop_time_ms,
            invisible_ms=invisible_ms,
            attempt_id=attempt_id,
            counts={each: counts[each] for each in offsets if each in counts},
        )
        self._pops[queue] = pop
        self._schedule(queue, pop)
        return [pop.counts.get(each, 0) for each in offsets]

    def acknowledge(
        self, queue: Queue, offset: int, pop_time_ms: int
    ) -> int | Unordered:
        """Acknowledge a message; return where the group's next pop begins."""
        pop = self._find(queue, offset, pop_time_ms)
        if isinstance(pop, Unordered):
            return pop
        pop.acknowledged |= 1 << list(pop.offsets).index(offset)
        self._unschedule(queue, pop)
        self._schedule(queue, pop)
        return pop.next_offset()

    def change(
        self, queue: Queue, offset: int, pop_time_ms: int, visible_at_ms: int
    ) -> Unordered | None:
        """Let a message be invisible until another time."""
        pop = self._find(queue, offset, pop_time_ms)
        if isinstance(pop, Unordered):
            return pop
        pop.visible_ms[offset] = visible_at_ms
        self._unschedule(queue, pop)
        self._schedule(queue, pop)
        return None

    def take_free(self, now_ms: int, count: int = 500) -> list[Queue]:
        """Return queues that are free since the last call, some of them at a time."""
        now = now_ms // TICK_MS
        found: list[Queue] = []
        for tick in [each for each in self._by_tick if each <= now]:
            of_tick = self._by_tick[tick]
            while of_tick and len(found) < count:
                queue, _ = of_tick.popitem()
                self._pops[queue].tick = -1
                found.append(queue)
            if of_tick:
                break
            del self._by_tick[tick]
        return found

    def offsets_of(self, queue: Queue) -> Sequence[int]:
        """Return the offsets of the last pop."""
        pop = self._pops.get(queue)
        return () if pop is None else pop.offsets

    def forget(self, queue: Queue) -> None:
        """Forget a queue."""
        pop = self._pops.pop(queue, None)
        if pop is not None:
            self._unschedule(queue, pop)

    def forget_idle(self, now_ms: int) -> None:
        """Forget queues that nobody pops from."""
        for queue, pop in list(self._pops.items()):
            if now_ms - pop.pop_time_ms > IDLE_MS and now_ms > pop.free_at():
                self.forget(queue)

    def encode_in_steps(self) -> Steps[bytes]:
        """Encode the file, some queues in each step."""
        texts: dict[str, list[bytes]] = {}
        for number, (queue, pop) in enumerate(list(self._pops.items())):
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield None
            topic, group, queue_id = queue
            text = b'"%d":%b' % (queue_id, msgspec.json.encode(_info(pop)))
            texts.setdefault(f"{topic}@{group}", []).append(text)
        entries = [
            b"%b:{%b}" % (msgspec.json.encode(name), b",".join(some))
            for name, some in texts.items()
        ]
        return b'{"table":{%b}}' % b",".join(entries)

    def load(self, table: OrderTable) -> None:
        """Have the pops of a file; what is malformed is left out."""
        for name, queues in table.table.items():
            topic, _, group = name.partition("@")
            for queue_id, info in queues.items():
                if not 0 < len(info.offsets) <= _MOST:
                    continue
                first = info.offsets[0]
                pop = _Pop(
                    offsets=[first, *(first + each for each in info.offsets[1:])],
                    pop_time_ms=info.pop_time_ms,
                    invisible_ms=info.invisible_ms or 0,
                    attempt_id=info.attempt_id,
                    counts=dict(info.counts or {}),
                    visible_ms=dict(info.visible_ms or {}),
                    acknowledged=info.acknowledged,
                )
                self._pops[topic, group, queue_id] = pop
                self._schedule((topic, group, queue_id), pop)

    def _find(self, queue: Queue, offset: int, pop_time_ms: int) -> _Pop | Unordered:
        """Return the pop of a receipt."""
        pop = self._pops.get(queue)
        if pop is None:
            return Unordered.NO_POP
        if pop.pop_time_ms != pop_time_ms:
            return Unordered.OTHER_POP
        return pop if offset in pop.offsets else Unordered.NOT_POPPED

    def _schedule(self, queue: Queue, pop: _Pop) -> None:
        """Note when a queue is free."""
        pop.tick = -(-pop.free_at() // TICK_MS)
        self._by_tick.setdefault(pop.tick, {})[queue] = None

    def _unschedule(self, queue: Queue, pop: _Pop) -> None:
        """Undo :meth:`_schedule`."""
        of_tick = self._by_tick.get(pop.tick)
        if of_tick is not None:
            of_tick.pop(queue, None)
            if not of_tick:
                del self._by_tick[pop.tick]
        pop.tick = -1


def _info(pop: _Pop) -> OrderInfo:
    """Return a pop as in the file."""
    first = pop.offsets[0]
    return OrderInfo(
        attempt_id=pop.attempt_id,
        acknowledged=pop.acknowledged,
        invisible_ms=pop.invisible_ms,
        last_ms=pop.pop_time_ms,
        offsets=[first, *(each - first for each in pop.offsets[1:])],
        counts=pop.counts or None,
        visible_ms=pop.visible_ms or None,
        pop_time_ms=pop.pop_time_ms,
    )


def order_counts(queue_id: int, offsets: Sequence[int], counts: Sequence[int]) -> str:
    """
    Encode the entries of ``orderCountInfo`` of one queue.

    Each message that was delivered before, and then the least of the queue.
    """
    entries = [
        f"0 qo{queue_id}%{offset} {count}"
        for offset, count in zip(offsets, counts, strict=True)
        if count
    ]
    return ";".join([*entries, f"0 {queue_id} {min(counts)}"])
