"""Sharing queues among the members of a group."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.allocation import (
    STRATEGIES,
    StrategyFailed,
    UnknownStrategy,
    allocate,
    average,
    strategy,
)
from rocketmq_tw.model.queue import MessageQueue
from tests.client.consumer.group.allocation_cases import lines, ours, stored
from tests.client.fakes import queues


class AverageTests(SynchronousTestCase):
    """The strategy AVG."""

    def _shares(self, count: int, members: list[str]) -> list[list[int]]:
        """Give the queue ids of each member."""
        all_queues = queues("T", count)
        return [[q.queue_id for q in average(m, all_queues, members)] for m in members]

    def test_even(self) -> None:
        """Each member gets a run of neighbours."""
        self.assertEqual(self._shares(4, ["a", "b"]), [[0, 1], [2, 3]])

    def test_remainder_goes_to_the_first(self) -> None:
        """What does not divide goes, one each, to the first members."""
        self.assertEqual(
            self._shares(8, ["a", "b", "c"]), [[0, 1, 2], [3, 4, 5], [6, 7]]
        )

    def test_more_members_than_queues(self) -> None:
        """Members beyond the number of queues get nothing."""
        self.assertEqual(self._shares(2, ["a", "b", "c"]), [[0], [1], []])

    def test_every_queue_once(self) -> None:
        """No queue is left out or given twice, whatever the numbers."""
        for count in range(20):
            for size in range(1, 8):
                shares = self._shares(count, [f"m{i}" for i in range(size)])
                self.assertEqual(sum(shares, []), list(range(count)))


class JavaTests(SynchronousTestCase):
    """What Java's strategies respond to the cases of ``allocation_cases``."""

    def test_table(self) -> None:
        """All strategies allocate the same queues as Java's."""
        table = stored()
        self.assertEqual(list(table), list(lines()))
        self.assertEqual({line: ours(line) for line in table}, table)


class AllocateTests(SynchronousTestCase):
    """What goes before and after the strategy."""

    def test_sorts_both_sides(self) -> None:
        """The order in which queues and members come does not matter."""
        shuffled = list(reversed(queues("T", 4)))
        mine = allocate(average, "a", shuffled, ["b", "a"])
        self.assertEqual(sorted(q.queue_id for q in mine), [0, 1])

    def test_not_a_member(self) -> None:
        """A client that the broker does not list gets nothing."""
        self.assertEqual(allocate(average, "z", queues("T", 4), ["a"]), frozenset())

    def test_sorted_as_java(self) -> None:
        """Java sorts by UTF-16 code units: U+10000 comes before U+FFFF."""
        members = ["\uffff", "\U00010000"]
        mine = allocate(average, "\U00010000", queues("T", 2), members)
        self.assertEqual([q.queue_id for q in mine], [0])

    def test_failing_strategy(self) -> None:
        """A strategy that raises is named, and the queues are kept."""

        def broken(*_: object) -> list[MessageQueue]:
            raise KeyError("no room")

        error = self.assertRaises(
            StrategyFailed, allocate, broken, "a", queues("T", 1), ["a"]
        )
        self.assertIn("KeyError('no room')", str(error))

    def test_unknown_name(self) -> None:
        """A name that is in no table is an error that names the known ones."""
        self.assertIs(strategy("AVG"), STRATEGIES["AVG"])
        error = self.assertRaises(UnknownStrategy, strategy, "NONE")
        self.assertIn("AVG", str(error))
