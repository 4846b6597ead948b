"""
Sends the messages of a slot to other masters, in steps.

A step's messages are sent together. What cannot be sent stays in the slot, which is
tried again after a while; no later slot is emptied before. A master that returns is
notified only of whole slots.

What was to roll is not due: it is sent as a timed message, which waits at the other
master.

Source: ``TimerMessageStore.doPut`` and ``EscapeBridge`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.redelivery import copy_for_redelivery
from rocketmq_tw.broker.timer.copies import Copy, Unusable, delivered, target_of
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.broker.timer.slots import SlotReader, begin_of_step, is_recall
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import (
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMER_DELAY_MS,
    TIMER_DELAY_SEC,
    TIMER_DELIVER_MS,
    TIMER_OUT_MS,
    TIMER_ROLL_TIMES,
    UNIQ_KEY,
)
from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.timer.layout import ROLL
from rocketmq_tw.store.timer.timers import Chain
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Checked, Draft, MalformedRecord, check

if TYPE_CHECKING:
    from rocketmq_tw.broker.timer.lost import LostMessages

#: Sends a message to another master; fires once it is stored there.
Put = Callable[[Draft, float], Deferred[None]]
#: What a message has while it waits, and the other ways to say when it is due.
_WAITING = (
    TIMER_DELAY_MS,
    TIMER_DELAY_SEC,
    TIMER_OUT_MS,
    TIMER_ROLL_TIMES,
    REAL_TOPIC,
    REAL_QUEUE_ID,
)


class NotSent(RocketMQError):
    """Other masters did not store timed messages."""

    def __str__(self) -> str:
        slot_ms, count, why = self.args
        return f"{count} of slot {slot_ms} were not sent to other masters: {why}"


class Escapes:
    """
    Sends messages.

    :ivar delivered: how many were sent.
    :ivar cancelled: how many were not, because they were recalled.
    :ivar failed: how often one could not be sent.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        slots: SlotReader,
        deliveries: Deliveries,
        put: Put,
        lost: LostMessages,
        wall_time: Callable[[], float],
    ) -> None:
        self._slots = slots
        self._deliveries = deliveries
        self._put = put
        self._lost = lost
        self._wall_time = wall_time
        self.delivered = self.cancelled = self.failed = 0

    def prepare(self, chain: Chain) -> Steps[Recalled]:
        """Follow a chain; return what is recalled."""
        return (yield from self._slots.prepare(chain))

    def deliver(self, chain: Chain, end: int, recalled: Recalled) -> Steps[int]:
        """
        Send some of the messages before an index.

        :returns: the index before which there are more.
        :raises NotSent: some are still in the chain.
        """
        start = begin_of_step(chain, end)
        indexes = range(end - 1, start - 1, -1)
        records = yield from self._slots.read(chain, indexes)
        now_ms = int(self._wall_time() * 1000)
        sends: list[Deferred[str | None]] = []
        sent: list[int] = []
        for index, record in zip(indexes, records, strict=True):
            copy = self._copy(chain, index, record, recalled, now_ms)
            if copy is not None:
                sends.append(self._send(copy))
                sent.append(index)
        results = (yield gatherResults(sends)) if sends else []
        reasons = dict(zip(sent, results, strict=True))
        kept = [index for index in range(start, end) if reasons.get(index)]
        chain.keep(start, kept)
        if kept:
            why = reasons[kept[-1]]
            raise NotSent(chain.slot_ms, f"{len(kept)} timed messages", why)
        return start

    def deliver_at_once(self, record: bytes, offset: int, now: float) -> None:
        """Leave out a message that its master has delivered: others have a slot."""

    def _copy(
        self,
        chain: Chain,
        index: int,
        record: bytes | None,
        recalled: Recalled,
        now_ms: int,
    ) -> Copy | None:
        """Copy a message, as it is to be sent; None if it is not."""
        offset, flags = chain.offsets[index], chain.flags[index]
        if is_recall(flags) or offset in self._deliveries:
            return None
        try:
            if record is None:
                raise Unusable("it is not in the commit log any more")
            if flags & ROLL:
                copy = timed_again(record)
            else:
                linked_ms = chain.slot_ms - chain.delays[index]
                copy = delivered(record, offset, linked_ms=linked_ms, now_ms=now_ms)
        except (Unusable, MalformedRecord) as error:
            self._lost.add(offset, error)
            return None
        # What Apache RocketMQ writes about pops stays with its broker.
        if copy is None or copy.topic.startswith(REVIVE_LOG_PREFIX):
            return None
        if recalled.holds(copy.topic, copy.unique_key):
            self.cancelled += 1
            return None
        return copy

    def _send(self, copy: Copy) -> Deferred[str | None]:
        """Send a message; fires with why it was not stored, or None."""
        sent = self._put(copy.draft, 0)
        return sent.addCallbacks(self._stored, self._failed)

    def _stored(self, result: object) -> None:
        self.delivered += 1

    def _failed(self, failure: Failure) -> str:
        self.failed += 1
        return log_safe(failure.getErrorMessage()) or "no reason was given"


def timed_again(record: bytes) -> Copy | None:
    """
    Copy a message so that it waits at another master until it is due.

    :returns: None for what cancels others, which does not wait there.
    :raises MalformedRecord: it is no complete record.
    :raises Unusable: it does not say when it is due, or where it goes.
    """
    facts = check(record, 0, len(record), True)
    if not isinstance(facts, Checked):
        raise MalformedRecord(0, "it is damaged")
    target = target_of(facts)
    if target.cancels is not None:
        return None
    copy = copy_for_redelivery(record)
    kept, draft = copy.properties, copy.draft
    for name in _WAITING:
        kept.pop(name, None)
    # One behind its slot: so it gets the same slot.
    kept[TIMER_DELIVER_MS] = str(target.out_ms + 1)
    draft.topic = target.topic.encode()
    draft.properties = properties.encode(kept).encode()
    return Copy(draft, target.topic, kept.get(UNIQ_KEY, ""))
