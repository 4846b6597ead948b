"""
Links the messages of the timer's queue into slots; delivers those that are due already.

The timer's log says up to where the queue is linked: behind the message of its last
record. So messages that are delivered at once get a record, too, in a slot that is
done.

Source: ``TimerMessageStore.enqueue`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.broker.timer.before import DeliveredBefore
from rocketmq_tw.broker.timer.copies import Target, Unusable, source_of, target_of
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.empties import Empties
from rocketmq_tw.broker.timer.late_slots import ChooseSlot, LateSlots
from rocketmq_tw.broker.timer.metrics import TimerMeter, TimerMetrics
from rocketmq_tw.broker.timer.opening import Opened
from rocketmq_tw.broker.timer.recent import RecentSends
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMER_DEL_UNIQKEY,
    TIMER_OUT_MS,
    UNIQ_KEY,
)
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.layout import DELETE, PLAIN
from rocketmq_tw.store.timer.timers import Timers, Waiting
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Checked, MalformedRecord, check
from rocketmq_tw.wire.record_layout import (
    BODY_AT,
    FIXED_SIZE,
    HEAD_V4,
    MAGIC_V1,
    SHORT_LENGTH,
)

#: Messages, and bytes, that are read in one step: some 0.6 ms, or 1.5 ms if none of
#: them is usual.
_AT_ONCE, _SLICE = 192, 256 << 10
#: Messages that need no read, and are linked in one step: some 1 ms.
_RECENT_AT_ONCE = 512
_unpack = HEAD_V4.unpack_from
_unpack_length = SHORT_LENGTH.unpack_from
_V6_HOSTS = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
#: The topic in a record, behind its body; and what its properties have.
_TOPIC = bytes([len(TIMER_TOPIC)]) + TIMER_TOPIC.encode()
_OUT = f"\x02{TIMER_OUT_MS}\x01".encode()
_CANCELS = f"{TIMER_DEL_UNIQKEY}\x01".encode()
#: What this broker adds to the properties of a timed message.
_added = re.compile(
    _OUT
    + rb"([0-9]{1,18})\x02"
    + f"{REAL_TOPIC}\x01([^\x01\x02]+)\x02".encode()
    + f"{REAL_QUEUE_ID}\x01[0-9]{{1,9}}\x02".encode()
).fullmatch


def _nowhere(out_ms: int, write_ms: int) -> None:
    """ChooseSlot nothing: there is no wheel yet."""


class _Step:
    """
    What is linked together.

    :ivar is_quick: whether usual messages need no closer look.
    :ivar end: the queue offset behind the last one that was looked at.
    :ivar delays: of those that are to wait, by topic, from birth until due, in ms.
    :ivar topics: their names and hashes, by their bytes; an empty name is not usual.
    """

    def __init__(
        self,
        timers: Timers,
        choose: ChooseSlot,
        *,
        start: int,
        now: float,
        is_quick: bool,
    ) -> None:
        self.timers = timers
        self.choose = choose
        self.write_ms = timers.write_time(int(now * 1000))
        self.now = now
        self.is_quick = is_quick
        self.end = start
        self.waiting: list[Waiting] = []
        self.delays: dict[str, list[int]] = {}
        self.topics: dict[bytes, tuple[str, int]] = {}

    def add_usual(
        self, topic: bytes, out_ms: int, born_ms: int, offset: int, size: int
    ) -> bool:
        """Add a message that is to wait; False if it is due, or goes nowhere."""
        name, topic_hash = self.topics.get(topic) or self.add_topic(topic)
        placed = self.choose(out_ms, self.write_ms)
        if placed is None or not name:
            return False
        delays = self.delays.get(name)
        if delays is None:
            delays = self.delays[name] = []
        delays.append(out_ms - born_ms)
        self.waiting.append(Waiting(placed[0], placed[1], offset, size, topic_hash))
        return True

    def add_topic(self, topic: bytes) -> tuple[str, int]:
        """Decode a topic."""
        name = topic.decode("utf-8", "replace")
        if name == TIMER_TOPIC:
            name = ""
        found = self.topics[topic] = name, java_hash(name)
        return found


class Linking:
    """
    Reads the timer's queue.

    :ivar queue_offset: what is before it is linked or delivered.
    :ivar before: what of the queue was delivered before.
    :ivar linked: how many messages were linked.
    :ivar meter: counts them by topic; None for nothing.
    :param late: where messages wait that are due; None delivers them at once.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        emptying: Empties,
        before: DeliveredBefore,
        metrics: TimerMetrics,
        deliveries: Deliveries,
        recent: RecentSends,
        wall_time: Callable[[], float],
        late: LateSlots | None = None,
    ) -> None:
        self._recent = recent
        self._store = store
        self._emptying = emptying
        self._metrics = metrics
        self._deliveries = deliveries
        self._wall_time = wall_time
        self.before = before
        self._late = late
        self.queue_offset = 0
        self.linked = 0
        self.meter: TimerMeter | None = None
        self._choose: ChooseSlot = _nowhere

    def begin(self, opened: Opened) -> None:
        """Begin where the files say."""
        self.queue_offset = opened.queue_offset
        self.before.queue_until = opened.read_again_until
        self.before.due_ms = opened.due_from_ms
        timers = opened.timers
        self._choose = timers.placement.slot_for
        if self._late is not None:
            self._late.begin(timers)
            self._choose = self._late.choose

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
        if self._link_recent(timers):
            return True
        start = self.queue_offset
        count = self._recent.gap(start, _AT_ONCE)
        fetched = yield from result_of(
            self._store.get(TIMER_TOPIC, 0, start, count, _SLICE, None)
        )
        if not fetched.count:
            self.queue_offset = max(start, fetched.next_offset)
            return self.queue_offset > start
        step = _Step(
            timers,
            self._choose,
            start=start,
            now=self._wall_time(),
            is_quick=not len(self._deliveries),
        )
        at, data = 0, fetched.data
        try:
            while at < len(data):
                size = self._usual(data, at, step)
                if size:
                    at += size
                    continue
                facts = check(data, at, len(data), False)
                if not isinstance(facts, Checked):
                    break
                record = data[at : at + facts.size]
                one = self._slot_for(record, facts, step)
                if one is not None:
                    step.waiting.append(one)
                step.end = facts.queue_offset + 1
                at += facts.size
        finally:
            # What comes before a failure is not to be done again.
            self._link(step)
            self.queue_offset = step.end
        self.queue_offset = max(step.end, fetched.next_offset)
        return True

    def _link_recent(self, timers: Timers) -> bool:
        """Link messages that are not to be read; return whether there were any."""
        start = self.queue_offset
        if len(self._deliveries) or start < self.before.queue_until:
            return False
        end = min(self._store.max_offset(TIMER_TOPIC, 0), start + _RECENT_AT_ONCE)
        some = self._recent.find(start, end)
        if not some:
            return False
        now = self._wall_time()
        step = _Step(timers, self._choose, start=start, now=now, is_quick=True)
        for each in some:
            if not step.add_usual(*each):
                break
            step.end += 1
        self._link(step)
        self.queue_offset = step.end
        return step.end > start

    def _link(self, step: _Step) -> None:
        """Link what was found in a step."""
        waiting = step.waiting
        step.timers.link(waiting, step.write_ms)
        self._deliveries.discard(one.offset for one in waiting)
        self.linked += len(waiting)
        for topic, delays in step.delays.items():
            self._metrics.count(topic, len(delays), int(step.now * 1000))
            if self.meter is not None:
                self.meter.linked(topic, delays)

    def _usual(self, data: bytes, at: int, step: _Step) -> int:
        """
        Find what is to be linked of a usual message: as :meth:`_slot_for`, but faster.

        :returns: the size of its record; 0 if it is not usual.
        """
        if not step.is_quick or at + FIXED_SIZE > len(data):
            return 0
        fields = _unpack(data, at)
        size, queue_offset, offset = fields[0], fields[5], fields[6]
        topic_at, end = at + BODY_AT + fields[-1], at + size
        start = topic_at + len(_TOPIC) + SHORT_LENGTH.size
        if fields[1] != MAGIC_V1 or fields[7] & _V6_HOSTS or end > len(data):
            return 0
        if not data.startswith(_TOPIC, topic_at) or start >= end:
            return 0
        if start + _unpack_length(data, start - SHORT_LENGTH.size)[0] != end:
            return 0
        found = _added(data, data.rfind(_OUT, start, end), end)
        if found is None or data.find(_CANCELS, start, end) >= 0:
            return 0
        if queue_offset < self.before.queue_until:
            return 0
        if not step.add_usual(found[2], int(found[1]), fields[8], offset, size):
            return 0
        step.end = queue_offset + 1
        return int(size)

    def _slot_for(self, record: bytes, facts: Checked, step: _Step) -> Waiting | None:
        """Return what is to be linked of a message; None if there is nothing."""
        timers, now = step.timers, step.now
        try:
            target = target_of(facts)
            if self._is_known(record, facts, target):
                return None
            if self.meter is not None:
                born_ms = _unpack(record)[8]
                self.meter.linked(target.topic, [target.out_ms - born_ms])
            offset = facts.commit_log_offset
            placed = step.choose(target.out_ms, step.write_ms)
            # Before a kill it may have been delivered, or rolled, from another slot.
            is_copied = self._is_copied(facts, target)
            if placed is None or is_copied:
                if target.cancels is None and not is_copied:
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

    def _is_copied(self, facts: Checked, target: Target) -> bool:
        """Return whether a copy of a message was found in the commit log."""
        deliveries = self._deliveries
        if facts.commit_log_offset in deliveries:
            return True
        if not len(deliveries.keys) or target.cancels is not None:
            return False
        text = facts.properties.decode("utf-8", "replace")
        key = properties.find(text, UNIQ_KEY) or ""
        return deliveries.keys.take(target.topic, key, target.out_ms)

    def _is_known(self, record: bytes, facts: Checked, target: Target) -> bool:
        """Return whether a message of the queue was delivered before."""
        if facts.queue_offset >= self.before.queue_until:
            return False
        source = source_of(record)
        if source is not None and source.offset is not None:
            # The record that it is a copy of waits no more: it rolled.
            self._deliveries.supersede(source.offset)
        return self.before.holds(facts.queue_offset, target.out_ms)
