"""
What of the timer's queue was delivered before, by whom it was.

That is known of messages when the timer's log was lost, and when a slave has acted for
its master (:mod:`rocketmq_tw.broker.timer.acting`): those before an offset of the queue
are delivered if they were due before a time.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.timer.copies import Unusable, target_of
from rocketmq_tw.store.timer.layout import ROLL
from rocketmq_tw.wire.record import Checked, check


class DeliveredBefore(msgspec.Struct):
    """
    What was delivered.

    :ivar queue_until: messages at this offset of the queue, and behind it, were not.
    :ivar due_ms: those in this slot, and in later ones, were not.
    :ivar passed: how many messages that were linked were left out.
    """

    queue_until: int = 0
    due_ms: int = 0
    passed: int = 0

    def holds(self, queue_offset: int, out_ms: int) -> bool:
        """Return whether a message was delivered."""
        return queue_offset < self.queue_until and out_ms < self.due_ms

    def extend(self, queue_until: int, due_ms: int) -> None:
        """Add what is known now; less than before is not."""
        if queue_until >= self.queue_until and due_ms >= self.due_ms:
            self.queue_until, self.due_ms = queue_until, due_ms

    def topic_of(self, record: bytes | None, slot_ms: int, flags: int) -> str | None:
        """
        Return the topic of a linked message that was delivered; None if it was not.

        What rolls is due later than its slot.
        """
        facts = None if record is None else check(record, 0, len(record), False)
        if not isinstance(facts, Checked):
            return None
        try:
            target = target_of(facts)
        except Unusable:
            return None
        out_ms = target.out_ms if flags & ROLL else slot_ms
        if not self.holds(facts.queue_offset, out_ms):
            return None
        self.passed += 1
        return target.topic
