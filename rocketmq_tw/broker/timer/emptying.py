"""
Empties one slot: delivers its messages, in steps.

Once it is read (:mod:`rocketmq_tw.broker.timer.slots`), the messages are delivered in
the order in which they were linked.

Source: ``TimerMessageStore.dequeue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.timer.before import DeliveredBefore
from rocketmq_tw.broker.timer.copies import Copy, Unusable, delivered, rolled
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.delivery_run import DeliveryRun
from rocketmq_tw.broker.timer.lost import LostMessages
from rocketmq_tw.broker.timer.metrics import TimerMeter, TimerMetrics
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.broker.timer.slots import SlotReader, begin_of_step, is_recall
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.store.timer.layout import DELETE, ROLL
from rocketmq_tw.store.timer.timers import Chain
from rocketmq_tw.wire.record import Draft, MalformedRecord

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

    :param lost: counts those that can never be delivered.
    :param before: what is not delivered once more.
    :param put: stores a message that is due.
    :param runs: stores many; None stores each by itself.
    :param max_size: the largest body that is stored, in bytes.
    :ivar delivered: how many were delivered.
    :ivar cancelled: how many were not, because they were recalled.
    :ivar meter: counts those that were by topic; None for nothing.
    """

    def __init__(
        self,
        *,
        slots: SlotReader,
        before: DeliveredBefore,
        metrics: TimerMetrics,
        deliveries: Deliveries,
        put: Put,
        lost: LostMessages,
        runs: RunWriter | None,
        max_size: int,
        wall_time: Callable[[], float],
    ) -> None:
        self._slots = slots
        self._before = before
        self._metrics = metrics
        self._deliveries = deliveries
        self._put = put
        self._lost = lost
        self._runs = runs
        self._max_size = max_size
        self._wall_time = wall_time
        self.delivered = self.cancelled = 0
        self.meter: TimerMeter | None = None

    def prepare(self, chain: Chain) -> Steps[Recalled]:
        """Follow a chain; return what is recalled."""
        return (yield from self._slots.prepare(chain))

    def deliver(self, chain: Chain, end: int, recalled: Recalled) -> Steps[int]:
        """
        Deliver some of the messages before an index.

        :returns: the index before which there are more.
        """
        start = begin_of_step(chain, end)
        indexes = range(end - 1, start - 1, -1)
        records = yield from self._slots.read(chain, indexes)
        now = self._wall_time()
        run = self._new_run(chain, recalled, now)
        may_be_before = chain.slot_ms < self._before.due_ms
        for index, record in zip(indexes, records, strict=True):
            offset, flags = chain.offsets[index], chain.flags[index]
            if is_recall(flags) or offset in self._deliveries:
                continue
            if may_be_before and self._was_before(chain, index, record):
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

    def _was_before(self, chain: Chain, index: int, record: bytes | None) -> bool:
        """Return whether a message was delivered before; it waits no more."""
        flags = chain.flags[index]
        topic = self._before.topic_of(record, chain.slot_ms, flags)
        if topic is None:
            return False
        now_ms = int(self._wall_time() * 1000)
        self._metrics.count(topic, 1 if flags & DELETE else -1, now_ms)
        return True

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
            self._lost.add(offset, error)

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
