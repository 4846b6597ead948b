"""The numbers of some groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker.lag_numbers import numbers_of
from rocketmq_tw.metrics.chunks import spans_of

#: Where a queue begins and ends, what a group has committed, and the last two later.
QUEUES = st.tuples(*[st.integers(0, 4)] * 5)


class LagNumbersTests(SynchronousTestCase):
    """Two groups, with two queues and one."""

    spans = spans_of([2, 1])

    def test_behind(self) -> None:
        """What is not committed is behind, from the first message that is there."""
        committed = [3, 0, 9]
        found = numbers_of(committed, committed, [0, 4, 0], [5, 6, 7], self.spans)
        self.assertEqual(found.behind, [2, 2, 0])
        self.assertEqual((found.lag, found.left), ([4, 0], [4, 0]))
        self.assertEqual(found.firsts, [3, 4, -1])
        self.assertIs(found.starts, found.firsts)

    def test_sent(self) -> None:
        """What was sent and not committed does not wait to be sent."""
        committed, sent = [3, 0, 7], [4, 9, 7]
        found = numbers_of(committed, sent, [0, 0, 0], [5, 6, 7], self.spans)
        self.assertEqual((found.lag, found.left), ([8, 0], [1, 0]))
        self.assertEqual((found.firsts, found.starts), ([3, 0, -1], [4, -1, -1]))

    @given(st.lists(QUEUES, min_size=3, max_size=3))
    def test_moved(self, queues: list[tuple[int, ...]]) -> None:
        """Where ends have moved, and groups have read on, all numbers are right."""
        begins, ends, committed, later, then = (
            list(each) for each in zip(*queues, strict=True)
        )
        before = numbers_of(committed, committed, begins, ends, self.spans)
        moved = before.differing(then, later)
        changes = zip(ends, later, committed, then, strict=True)
        expected = [at for at, (a, b, c, d) in enumerate(changes) if a != b or c != d]
        self.assertEqual(moved, expected)
        found = before.moved(then, later, moved, [0, 0, 1])
        self.assertEqual(found, numbers_of(then, then, begins, later, self.spans))
        self.assertIs(found.starts, found.firsts)
