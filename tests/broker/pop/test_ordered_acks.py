"""Tests of rocketmq_tw.broker.pop.ordered_acks: pops in order, as users meet them."""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.wire.receipts import Receipt
from rocketmq_tw.wire.requests.pop import Notification
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import (
    PopCase,
    acknowledged,
    changed,
    popped,
    receipts_of,
)
from tests.broker.pop.test_acks import batch


class OrderedTests(PopCase):
    """Three messages of one queue."""

    def setUp(self) -> None:
        """Send them."""
        super().setUp()
        self.fill(b"a", b"b", b"c")

    def ordered(self, **fields: Any) -> dict[bytes, Receipt]:
        """Pop in order."""
        return self.receipts(order=True, **fields)

    def offset(self) -> int | None:
        """Return the group's offset."""
        return self.tables.offsets.query(GROUP, TOPIC, 0)

    def test_blocked(self) -> None:
        """Nothing more comes until all are acknowledged; nothing comes again."""
        receipts = self.ordered(max_msg_nums=2)
        self.assertEqual(set(receipts), {b"a", b"b"})
        self.assertEqual(receipts[b"a"].revive_queue, 999)
        self.assertEqual(self.ordered(), {})
        for body, offset in ((b"b", 0), (b"a", 2)):
            self.assertIsNone(self.now(acknowledged(receipts[body])).remark)
            self.assertEqual(self.offset(), offset)
        self.assertEqual(set(self.ordered()), {b"c"})

    def test_come_again(self) -> None:
        """After their time all from the first on come again, and are counted."""
        receipts = self.ordered()
        self.now(acknowledged(receipts[b"b"]))
        self.pass_time(10.1)
        response = self.now(popped(order=True))
        self.assertEqual(len(receipts_of(response)), 3)
        info = "0 qo0%0 1;0 qo0%1 1;0 qo0%2 1;0 0 1"
        self.assertEqual(response.order_count_info, info)
        self.assertEqual(self.retries(), [])
        old = self.now(acknowledged(receipts[b"a"]))
        self.assertIn("another pop", old.remark)

    def test_waiting(self) -> None:
        """Whoever waits is woken by the last acknowledgement, or when time is over."""
        receipts = self.ordered(max_msg_nums=1)
        waiting = self.ask(popped(order=True, poll_time=30_000, max_msg_nums=1))
        self.now(acknowledged(receipts[b"a"]))
        self.clock.advance(0)
        self.assertEqual(set(receipts_of(self.successResultOf(waiting))), {b"b"})
        waiting = self.ask(popped(order=True, poll_time=30_000))
        self.pass_time(9)
        self.assertNoResult(waiting)
        self.pass_time(1.5)
        self.assertEqual(set(receipts_of(self.successResultOf(waiting))), {b"b", b"c"})

    def test_changed(self) -> None:
        """The message is visible at another time, under the same receipt."""
        receipts = self.ordered()
        self.clock.advance(1)
        response = self.now(changed(receipts[b"a"], 60_000))
        found = response.pop_time, response.invisible_time, response.revive_qid
        self.assertEqual(found, (receipts[b"a"].pop_time_ms, 61_000, 999))
        self.pass_time(20)
        self.assertEqual(self.ordered(), {})
        for receipt in receipts.values():
            self.now(acknowledged(receipt))
        self.assertEqual(self.offset(), 3)
        response = self.now(changed(receipts[b"a"], 1))
        self.assertIn("acknowledged before", response.remark)
        response = self.now(acknowledged(receipts[b"a"]))
        self.assertIn("acknowledged before", response.remark)

    def test_batch(self) -> None:
        """Many are acknowledged in one request."""
        receipt = self.ordered()[b"a"]
        self.assertIsNone(self.now(batch(receipt, [0, 1, 2])).remark)
        self.assertEqual(self.offset(), 3)

    def test_not_popped(self) -> None:
        """A message that was not popped cannot be acknowledged."""
        receipt = self.ordered(max_msg_nums=1)[b"a"]
        other = msgspec.structs.replace(receipt, offset=2)
        self.refused(13, "was not popped", acknowledged(other))
        response = self.now(changed(other, 5))
        self.assertIn("was not popped", response.remark)

    def test_notified(self) -> None:
        """A blocked queue has no messages for a pop in order."""
        asked = Notification(GROUP, TOPIC, -1, 0, order=True)
        self.assertTrue(self.now(asked).has_msg)
        self.ordered(max_msg_nums=1)
        self.assertFalse(self.now(asked).has_msg)
        self.pass_time(10.1)
        self.assertTrue(self.now(asked).has_msg)

    def test_forged(self) -> None:
        """A receipt of a queue that was not popped in order moves no offset."""
        self.receipts(max_msg_nums=1)
        forged = Receipt(0, 1, 2, 999, 0, "broker-a", 0, 2)
        response = self.now(acknowledged(forged))
        self.assertIn("no pop of this queue", response.remark)
        self.assertEqual(self.offset(), 1)

    def test_endless(self) -> None:
        """The longest time is not past the end of time."""
        receipts = self.ordered()
        self.now(changed(receipts[b"a"], (1 << 63) - 1))
        self.restart()
        self.pass_time(100)
        self.assertEqual(self.ordered(), {})

    def test_stop_and_start(self) -> None:
        """What is in flight blocks the queue after a restart, too."""
        receipts = self.ordered()
        self.restart()
        self.assertEqual(self.ordered(), {})
        self.now(acknowledged(receipts[b"a"]))
        self.assertEqual(self.offset(), 1)
