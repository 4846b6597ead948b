"""Tests of rocketmq_tw.broker.pop.orderly."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyInFlight
from rocketmq_tw.broker.pop.orderly import (
    IDLE_MS,
    OrderedPops,
    OrderTable,
    Unordered,
    order_counts,
)
from rocketmq_tw.remoting.pacing import all_at_once

QUEUE = "TO", "GO", 0
NOW = 1_795_732_216_000
#: Of Apache RocketMQ's broker.
TEXT = (
    b'{"table":{"TO@GO":{0:{"a":"at4","cm":0,"i":3000,"l":1795732216415,"o":[0,1,2],'
    b'"oc":{0:2,1:2,2:2},"popTime":1795732216414}}}}'
)


class OrderedPopTests(SynchronousTestCase):
    """A queue is blocked while messages are in flight."""

    def setUp(self) -> None:
        """Pop three messages for three seconds."""
        self.pops = OrderedPops(limit=1)
        self.assertEqual(self.begin(), [0, 0, 0])

    def begin(
        self, *offsets: int, now: int = NOW, attempt: str | None = None
    ) -> list[int]:
        """Pop messages; return how often they came before."""
        return self.pops.begin(
            QUEUE,
            offsets or (5, 6, 9),
            pop_time_ms=now,
            invisible_ms=3000,
            attempt_id=attempt,
        )

    def is_blocked(self, now: int, attempt: str | None = None) -> bool:
        """Return whether the queue is blocked."""
        return self.pops.is_blocked(QUEUE, attempt, now)

    def test_blocked(self) -> None:
        """It is, until the time of one that is not acknowledged is over."""
        self.assertTrue(self.is_blocked(NOW + 2999))
        self.assertFalse(self.is_blocked(NOW + 3000))
        for offset, following in ((6, 5), (5, 9), (9, 10)):
            self.assertTrue(self.is_blocked(NOW))
            self.assertEqual(self.pops.acknowledge(QUEUE, offset, NOW), following)
        self.assertFalse(self.is_blocked(NOW))

    def test_same_attempt(self) -> None:
        """A pop that is sent again gets the same, and they count once."""
        self.begin(attempt="x", now=NOW + 3000)
        self.assertFalse(self.is_blocked(NOW + 3001, "x"))
        self.assertTrue(self.is_blocked(NOW + 3001, "y"))
        self.assertEqual(self.begin(attempt="x", now=NOW + 3001), [1, 1, 1])

    def test_counts(self) -> None:
        """Those behind one that is not acknowledged come again, and count."""
        self.pops.acknowledge(QUEUE, 6, NOW)
        self.assertEqual(self.begin(5, 6, 9, 10, now=NOW + 3000), [1, 1, 1, 0])
        self.assertEqual(self.begin(5, 6, now=NOW + 6000), [2, 2])

    def test_wrong_receipts(self) -> None:
        """They change nothing."""
        for queue, offset, time, why in (
            (("TO", "GO", 1), 5, NOW, Unordered.NO_POP),
            (QUEUE, 5, NOW + 1, Unordered.OTHER_POP),
            (QUEUE, 7, NOW, Unordered.NOT_POPPED),
        ):
            self.assertIs(self.pops.acknowledge(queue, offset, time), why)
            self.assertIs(self.pops.change(queue, offset, time, 0), why)

    def test_changed_time(self) -> None:
        """The queue is free when the last of its messages is."""
        for offset in (5, 6, 9):
            self.pops.change(QUEUE, offset, NOW, NOW + 1000)
        self.assertEqual(self.pops.take_free(NOW + 999), [])
        self.assertFalse(self.is_blocked(NOW + 1000))
        self.assertEqual(self.pops.take_free(NOW + 1000), [QUEUE])
        self.assertEqual(self.pops.take_free(NOW + 9000), [])

    def test_limit(self) -> None:
        """One more queue is refused; the limit is named."""
        error = self.assertRaises(
            TooManyInFlight,
            self.pops.begin,
            ("TO", "GO", 1),
            (1,),
            pop_time_ms=NOW,
            invisible_ms=1,
            attempt_id=None,
        )
        self.assertIn("maxPopOrderedQueues", str(error))
        self.assertEqual((len(self.pops), self.pops.refused), (1, 1))

    def test_idle(self) -> None:
        """A queue that nobody pops from is forgotten after a day."""
        self.pops.forget_idle(NOW + IDLE_MS)
        self.assertEqual(len(self.pops), 1)
        self.pops.forget_idle(NOW + IDLE_MS + 1)
        self.assertEqual((len(self.pops), self.pops._by_tick), (0, {}))

    def test_file(self) -> None:
        """A file of Apache RocketMQ's broker is read, and one of ours."""
        self.pops.load(OrderTable.decode(TEXT))
        self.assertEqual(self.begin(0, now=NOW + 9000), [3])
        text = all_at_once(self.pops.encode_in_steps())
        again = OrderedPops()
        again.load(OrderTable.decode(text))
        self.assertEqual(all_at_once(again.encode_in_steps()), text)
        self.assertTrue(again.is_blocked(QUEUE, None, NOW + 9001))

    def test_steps(self) -> None:
        """Many queues are encoded in steps, and taken some at a time."""
        pops = OrderedPops(limit=1000)
        for number in range(1000):
            pops.begin(
                ("T", f"G{number}", 0),
                range(32),
                pop_time_ms=NOW,
                invisible_ms=1000,
                attempt_id=None,
            )
        self.assertEqual(len(list(pops.encode_in_steps())), 10)
        found = [len(pops.take_free(NOW + 1000)) for _ in range(3)]
        self.assertEqual(found, [500, 500, 0])

    def test_count_info(self) -> None:
        """Messages that came before, then the least of the queue."""
        self.assertEqual(order_counts(0, [5, 6], [2, 0]), "0 qo0%5 2;0 0 0")
        self.assertEqual(order_counts(0, [0], [1]), "0 qo0%0 1;0 0 1")
        self.assertEqual(order_counts(0, [0, 1], [0, 0]), "0 0 0")
