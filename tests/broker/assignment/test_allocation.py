"""Tests of rocketmq_tw.broker.assignment.allocation."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.assignment.allocation import (
    AVERAGE,
    BY_CIRCLE,
    popped_queues,
    pulled_queues,
)
from rocketmq_tw.model.queue import MessageQueue

QUEUES = [MessageQueue("T", name, each) for name in ("a", "b") for each in range(4)]


def pulled(members: int, strategy: str) -> list[list[int]]:
    """Return each member's queues, by their places among all."""
    return [
        [QUEUES.index(q) for q in pulled_queues(QUEUES, each, members, strategy)]
        for each in range(members)
    ]


def popped(index: int, members: int, shared: int) -> list[tuple[str, int]]:
    """Return what a member pops from."""
    found = popped_queues(QUEUES, index, members, AVERAGE, shared)
    return [(queue.broker_name, queue.queue_id) for queue in found]


class AllocationTests(SynchronousTestCase):
    """As Java's strategies, and the sharing of pop."""

    def test_average(self) -> None:
        """Neighbours; the first ones get one more."""
        self.assertEqual(pulled(3, AVERAGE), [[0, 1, 2], [3, 4, 5], [6, 7]])
        self.assertEqual(pulled(9, AVERAGE)[7:], [[7], []])

    def test_by_circle(self) -> None:
        """One by one."""
        self.assertEqual(pulled(3, BY_CIRCLE), [[0, 3, 6], [1, 4, 7], [2, 5]])

    def test_all_share_all(self) -> None:
        """Then there is one entry for each broker."""
        for shared in (-1, 0, 3, 9):
            self.assertEqual(popped(1, 4, shared), [("a", -1), ("b", -1)])

    def test_neighbours_share(self) -> None:
        """Each pops from its own queues, and from those of the next ones."""
        self.assertEqual(popped(2, 4, 1), [("b", 0), ("b", 1), ("b", 2), ("b", 3)])
        self.assertEqual(popped(3, 4, 1)[-2:], [("a", 0), ("a", 1)])

    def test_more_members_than_queues(self) -> None:
        """Each pops from one queue."""
        self.assertEqual(popped(9, 20, 1), [("a", 1)])
