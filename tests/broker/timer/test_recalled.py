"""Which messages of a slot are recalled: in a table of a bounded size."""

from __future__ import annotations

import sys
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.recalled import Recalled
from tests.broker.timer.cases import TimerCase

#: Bytes that a recall may take in the table, and with what else is kept of its slot.
BUDGET, WITH_CHAIN = 32, 64


class RecalledTests(SynchronousTestCase):
    """The table."""

    def test_keys(self) -> None:
        """A key counts for its topic alone, with or without the topic before it."""
        recalled = Recalled(3)
        for key in ("k", "Tlong", "k"):
            recalled.add("T", key)
        self.assertEqual(len(recalled), 2)
        for key in ("k", "long", "Tlong"):
            self.assertTrue(recalled.holds("T", key), key)
        for topic, key in (("T", "x"), ("U", "k"), ("T", ""), ("Tl", "ong")):
            self.assertFalse(recalled.holds(topic, key), (topic, key))

    def test_none(self) -> None:
        """Without recalls nothing is recalled, and nothing is kept."""
        self.assertFalse(Recalled().holds("T", "k"))

    def test_all_are_found(self) -> None:
        """As many as it was made for are found, and no others."""
        for most in (1, 2, 3, 63, 64, 65, 1000):
            recalled = Recalled(most)
            for number in range(most):
                recalled.add("T", f"k{number}")
            self.assertEqual(len(recalled), most)
            found = [recalled.holds("T", f"k{n}") for n in range(2 * most)]
            self.assertEqual(found, [True] * most + [False] * most)

    def test_budget(self) -> None:
        """A table takes at most 32 bytes for each recall, 16 MiB for a million."""
        for most in (1000, 1025, 100_000):
            size = sys.getsizeof(Recalled(most)._table)
            self.assertLess(size, most * BUDGET + 200)
        self.assertLess(sys.getsizeof(Recalled(1_000_000)._table), 17 << 20)


class SlotTests(TimerCase):
    """Recalls that fall into one slot."""

    settings = {"mapped_file_size_commit_log": 4 << 20}

    def test_memory(self) -> None:
        """To prepare a slot full of them takes no more than the budget."""
        count = 4000
        due = self.now_ms + 60_000
        for number in range(count):
            self.timed(
                b"%d" % number, TIMER_DELIVER_MS=due, TIMER_DEL_UNIQKEY=f"k{number}"
            )
        self.wait(2)
        timers, emptying = self.parts.service.timers, self.parts.emptying
        assert timers is not None
        self.parts.service.stop()
        timers.read_ms = (due - 1) // 1000 * 1000
        chain = timers.next_chain(due + 1000, 1)
        assert chain is not None
        steps = emptying.prepare(chain)
        tracemalloc.start()
        try:
            recalled = None
            while recalled is None:
                try:
                    next(steps)
                except StopIteration as end:
                    recalled = end.value
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertEqual((len(chain), len(recalled)), (count, count))
        self.assertLess(kept, count * WITH_CHAIN)
