"""
Empties one slot: delivers its messages, in steps.

First its chain is followed, which leads from the last message to the first. Then the
records that cancel messages are read, and then the messages are delivered in the order
in which they were linked.

Source: ``TimerMessageStore.dequeue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from rocketmq_tw.broker.timer.copies import (
    Copy,
    Unusable,
    delivered,
    rolled,
    target_of,
)
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.delivery_run import DeliveryRun
from rocketmq_tw.broker.timer.metrics import TimerMeter, TimerMetrics
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.store.timer.layout import DELETE, ROLL
from rocketmq_tw.store.timer.log import BlockMissing, TimerLog
from rocketmq_tw.store.timer.timers import Chain
from rocketmq_tw.wire.record import Checked, Draft, MalformedRecord, check

#: Records of the timer's log, and messages, that are handled in one step: some 0.5 ms,
#: or 1.5 ms if no message is usual.
LINKS_AT_ONCE, MESSAGES_AT_ONCE = 1000, 128
#: Messages of a slot that are looked at in one step for what cancels others.
FLAGS_AT_ONCE = 10_000
#: Bytes of messages that are read and stored in one step; one may be larger.
BYTES_AT_ONCE = 256 << 10
#: Flags of messages that cancel others, and do not roll.
_RECALLS = [each for each in range(256) if each & DELETE and not each & ROLL]
#: Errors for messages that can never be delivered.
_NEVER = (
    IllegalName,
    PropertiesTooLong,
    RecordTooLong,
    TopicTooLong,
    MalformedRecord,
    Unusable,
)

Put = Callable[[Draft, float], object]


class Emptying:
    """
    Delivers messages.

    :param put: stores a message that is due.
    :param runs: stores many; None stores each by itself.
    :param max_size: the largest body that is stored, in bytes.
    :ivar delivered: how many were delivered.
    :ivar cancelled: how many were not, because they were recalled.
    :ivar lost: how many could not be delivered.
    :ivar meter: counts those that were by topic; None for nothing.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        log: TimerLog,
        metrics: TimerMetrics,
        deliveries: Deliveries,
        put: Put,
        runs: RunWriter | None,
        max_size: int,
        wall_time: Callable[[], float],
    ) -> None:
        self._store = store
        self._timer_log = log
        self._metrics = metrics
        self._deliveries = deliveries
        self._put = put
        self._runs = runs
        self._max_size = max_size
        self._wall_time = wall_time
        self.delivered = self.cancelled = self.lost = 0
        self.meter: TimerMeter | None = None

    def prepare(self, chain: Chain) -> Steps[Recalled]:
        """Follow a chain; return what is recalled."""
        while True:
            try:
                if chain.follow(self._timer_log, LINKS_AT_ONCE):
                    break
                yield None
            except BlockMissing as missing:
                waiting = self._timer_log.load(missing.position)
                if waiting is not None:
                    yield waiting
        recalled = Recalled(_recalls(chain))
        begin = 0
        while begin < len(chain):
            some, begin = _next_cancelling(chain, begin)
            records = (yield from self._read(chain, some)) if some else []
            for record in records:
                self._add_recalled(record, recalled)
            yield None
        return recalled

    def deliver(self, chain: Chain, end: int, recalled: Recalled) -> Steps[int]:
        """
        Deliver some of the messages before an index.

        :returns: the index before which there are more.
        """
        start = _begin_of_step(chain, end)
        indexes = range(end - 1, start - 1, -1)
        records = yield from self._read(chain, indexes)
        now = self._wall_time()
        run = self._new_run(chain, recalled, now)
        for index, record in zip(indexes, records, strict=True):
            offset, flags = chain.offsets[index], chain.flags[index]
            if flags & DELETE and not flags & ROLL or offset in self._deliveries:
                continue
            if run is not None:
                if not flags & ROLL and run.add(record, offset, chain.delays[index]):
                    continue
                self._store_run(run, now)
                chain.truncate(index + 1)
            self._deliver_one(chain, index, record, recalled, now)
            chain.truncate(index)
            if run is not None:
                run.renew()
        if run is not None:
            self._store_run(run, now)
        chain.truncate(start)
        return start

    def _new_run(
        self, chain: Chain, recalled: Recalled, now: float
    ) -> DeliveryRun | None:
        """Begin the run of a step."""
        if self._runs is None:
            return None
        return DeliveryRun(
            self._runs, chain.slot_ms, recalled, max_size=self._max_size, now=now
        )

    def _store_run(self, run: DeliveryRun, now: float) -> None:
        """Store what is in a run."""
        for topic, count in run.store().items():
            self.delivered += count
            self._metrics.count(topic.decode(), -count, int(now * 1000))
            if self.meter is not None:
                self.meter.delivered(topic.decode(), count)
        self.cancelled += run.left_out
        run.left_out = 0

    def deliver_at_once(self, record: bytes, offset: int, now: float) -> None:
        """Deliver a message that is due when it is read from the timer's queue."""
        if offset in self._deliveries:
            return
        copy = delivered(record, offset, linked_ms=None, now_ms=int(now * 1000))
        self._store_copy(copy, now)
        self._deliveries.add(offset)

    def _read(self, chain: Chain, indexes: Any) -> Steps[list[bytes | None]]:
        """Read the records of messages in a chain."""
        found = yield from result_of(
            self._store.records_at(
                [chain.offsets[index] for index in indexes],
                [chain.sizes[index] for index in indexes],
            )
        )
        records: list[bytes | None] = found
        return records

    def _add_recalled(self, record: bytes | None, recalled: Recalled) -> None:
        """Note which message a record recalls."""
        facts = None if record is None else check(record, 0, len(record), False)
        if not isinstance(facts, Checked):
            return
        try:
            target = target_of(facts)
        except Unusable:
            return
        recalled.add(target.topic, target.cancels or "")

    def _deliver_one(
        self,
        chain: Chain,
        index: int,
        record: bytes | None,
        recalled: Recalled,
        now: float,
    ) -> None:
        """Deliver, drop or roll one message, which waits."""
        offset, flags = chain.offsets[index], chain.flags[index]
        now_ms = int(now * 1000)
        try:
            if record is None:
                raise Unusable("it is not in the commit log any more")
            if flags & ROLL:
                copy = rolled(record, offset)
                self._store_copy(copy, now)
                # It is counted again when it is linked.
                self._metrics.count(copy.topic, 1 if flags & DELETE else -1, now_ms)
                return
            linked_ms = chain.slot_ms - chain.delays[index]
            copy = delivered(record, offset, linked_ms=linked_ms, now_ms=now_ms)
            if recalled.holds(copy.topic, copy.unique_key):
                self.cancelled += 1
            else:
                self._store_copy(copy, now)
                self._metrics.count(copy.topic, -1, now_ms)
        except _NEVER as error:
            self._lost(offset, error)

    def _store_copy(self, copy: Copy, now: float) -> None:
        """
        Store a copy.

        What Apache RocketMQ writes about pops is taken over at the start
        (:mod:`rocketmq_tw.broker.pop.adoption`), and would come twice.
        """
        if copy.topic.startswith(REVIVE_LOG_PREFIX):
            return
        self._put(copy.draft, now)
        self.delivered += 1
        if self.meter is not None:
            self.meter.delivered(copy.topic, 1)

    def _lost(self, offset: int, error: Exception) -> None:
        self.lost += 1
        self._log.error(
            "the timed message at offset {offset} of the commit log cannot be"
            " delivered: {why}",
            offset=offset,
            why=str(error),
        )


def _begin_of_step(chain: Chain, end: int) -> int:
    """Return the first of the messages before an index that are one step's."""
    start, left = end - 1, BYTES_AT_ONCE - chain.sizes[end - 1]
    while start > max(0, end - MESSAGES_AT_ONCE):
        left -= chain.sizes[start - 1]
        if left < 0:
            break
        start -= 1
    return start


def _recalls(chain: Chain) -> int:
    """Return how many messages of a slot cancel others."""
    flags = chain.flags.tobytes()
    return sum(flags.count(each) for each in _RECALLS)


def _next_cancelling(chain: Chain, begin: int) -> tuple[list[int], int]:
    """
    Return those of one step, from an index on, that cancel others.

    :returns: their indexes, and the first index that was not looked at.
    """
    found: list[int] = []
    end, left = min(begin + FLAGS_AT_ONCE, len(chain)), BYTES_AT_ONCE
    for index, flags in enumerate(chain.flags[begin:end], begin):
        if not flags & DELETE or flags & ROLL:
            continue
        left -= chain.sizes[index]
        if found and (left < 0 or len(found) == MESSAGES_AT_ONCE):
            return found, index
        found.append(index)
    return found, end
