"""
Links the messages of the timer's queue into slots; delivers those that are due already.

The timer's log says up to where the queue is linked: behind the message of its last
record. So messages that are delivered at once get a record, too, in a slot that is
done.

Source: ``TimerMessageStore.enqueue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.broker.timer.copies import Target, Unusable, target_of
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.emptying import Emptying
from rocketmq_tw.broker.timer.metrics import TimerMetrics
from rocketmq_tw.broker.timer.opening import Opened
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.layout import DELETE, PLAIN
from rocketmq_tw.store.timer.timers import Timers, Waiting
from rocketmq_tw.wire.record import Checked, MalformedRecord, check

#: Messages, and bytes, that are read in one step.
_AT_ONCE, _SLICE = 64, 256 << 10


class Linking:
    """
    Reads the timer's queue.

    :ivar queue_offset: what is before it is linked or delivered.
    :ivar read_again_until: what is before it was read already; of that, what was due
        before ``due_from_ms`` is delivered.
    :ivar linked: how many messages were linked.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        emptying: Emptying,
        metrics: TimerMetrics,
        deliveries: Deliveries,
        wall_time: Callable[[], float],
    ) -> None:
        self._store = store
        self._emptying = emptying
        self._metrics = metrics
        self._deliveries = deliveries
        self._wall_time = wall_time
        self.read_again_until = self.due_from_ms = 0
        self.queue_offset = 0
        self.linked = 0

    def begin(self, opened: Opened) -> None:
        """Begin where the files say."""
        self.queue_offset = opened.queue_offset
        self.read_again_until = opened.read_again_until
        self.due_from_ms = opened.due_from_ms

    @property
    def delivered(self) -> int:
        """How many messages were delivered."""
        return self._emptying.delivered

    def has_more(self) -> bool:
        """Return whether there are messages that are not linked."""
        return self.behind > 0

    @property
    def behind(self) -> int:
        """How many messages are not linked."""
        return self._store.max_offset(TIMER_TOPIC, 0) - self.queue_offset

    def link_some(self, timers: Timers) -> Steps[bool]:
        """Link some messages; return whether there were any."""
        start = self.queue_offset
        fetched = yield from result_of(
            self._store.get(TIMER_TOPIC, 0, start, _AT_ONCE, _SLICE, None)
        )
        if not fetched.count:
            self.queue_offset = max(start, fetched.next_offset)
            return self.queue_offset > start
        now = self._wall_time()
        write_ms = timers.write_time(int(now * 1000))
        waiting: list[Waiting] = []
        end, at, data = start, 0, fetched.data
        try:
            while at < len(data):
                facts = check(data, at, len(data), False)
                if not isinstance(facts, Checked):
                    break
                record = data[at : at + facts.size]
                one = self._slot_for(record, facts, timers, write_ms, now)
                if one is not None:
                    waiting.append(one)
                end, at = facts.queue_offset + 1, at + facts.size
        finally:
            # What comes before a failure is not to be done again.
            timers.link(waiting, write_ms)
            for one in waiting:
                self._deliveries.discard(one.offset)
            self.linked += len(waiting)
            self.queue_offset = end
        self.queue_offset = max(end, fetched.next_offset)
        return True

    def _slot_for(
        self, record: bytes, facts: Checked, timers: Timers, write_ms: int, now: float
    ) -> Waiting | None:
        """Return what is to be linked of a message; None if there is nothing."""
        try:
            target = target_of(facts)
            if self._is_known(facts, target):
                return None
            offset = facts.commit_log_offset
            placed = timers.placement.slot_for(target.out_ms, write_ms)
            # Before a kill it may have been delivered, or rolled, from another slot.
            if placed is None or offset in self._deliveries:
                if target.cancels is None:
                    self._emptying.deliver_at_once(record, offset, now)
                done_ms = timers.read_ms - timers.placement.precision_ms
                placed = done_ms, PLAIN
            else:
                change = -1 if target.cancels is not None else 1
                self._metrics.count(target.topic, change, int(now * 1000))
        except (Unusable, MalformedRecord) as error:
            self._log.error(
                "message {offset} of the timer's queue is left out: {why}",
                offset=facts.queue_offset,
                why=str(error),
            )
            return None
        slot_ms, flags = placed
        flags |= target.flags & DELETE
        return Waiting(
            slot_ms,
            flags,
            facts.commit_log_offset,
            facts.size,
            java_hash(target.topic),
        )

    def _is_known(self, facts: Checked, target: Target) -> bool:
        """Return whether a message was delivered before the timer's log was lost."""
        if facts.queue_offset >= self.read_again_until:
            return False
        return target.out_ms < self.due_from_ms
