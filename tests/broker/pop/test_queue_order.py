"""Tests of the order in which a pop looks at queues."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from rocketmq_tw.broker.pop.queue_order import MOST, QueueOrder
from rocketmq_tw.model.group import SubscriptionGroup
from tests.broker.cases import BrokerCase

RETRY, RETRY_V2 = "%RETRY%G_T", "%RETRY%G+T"


class QueueOrderTests(BrokerCase):
    """A topic of four queues."""

    def setUp(self) -> None:
        """Create it."""
        super().setUp()
        self.topic("T", 4)
        self.drawn: list[int] = []

    def order(self, *draws: int, **options: Any) -> QueueOrder:
        """Make what chooses, with what will be drawn."""
        numbers = iter(draws)

        def draw(limit: int) -> int:
            self.drawn.append(limit)
            return next(numbers)

        return QueueOrder(
            topics=self.tables.topics, groups=self.tables.groups, draw=draw, **options
        )

    def of(self, order: QueueOrder, chosen: int = -1, in_order: bool = False) -> Any:
        """Return the queues of a pop of the group G."""
        return list(order.of("T", "G", chosen, in_order))

    def with_priorities(self) -> None:
        """Let the messages of the topic have priorities."""
        known = self.tables.topics.require("T")
        attributes = {"message.type": "PRIORITY"}
        self.tables.topics.put(replace(known, attributes=attributes))

    def test_any_queue_first(self) -> None:
        """All others follow it."""
        found = self.of(self.order(99, 2))
        self.assertEqual(found, [("T", 2), ("T", 3), ("T", 0), ("T", 1)])
        self.assertEqual(self.drawn, [100, 4])

    def test_one_queue(self) -> None:
        """It may be chosen; retry topics are read whole."""
        self.topic(RETRY, 2)
        found = self.of(self.order(99, 1), chosen=3)
        self.assertEqual(found, [("T", 3), (RETRY, 1), (RETRY, 0)])

    def test_retry_first(self) -> None:
        """So many percent of the pops begin with the retry topics."""
        for name in (RETRY, RETRY_V2):
            self.topic(name, 1)
        found = self.of(self.order(19, 0), chosen=0)
        self.assertEqual(found, [(RETRY, 0), (RETRY_V2, 0), ("T", 0)])
        found = self.of(self.order(20, 0), chosen=0)
        self.assertEqual(found, [("T", 0), (RETRY, 0), (RETRY_V2, 0)])

    def test_in_order(self) -> None:
        """Retry topics are not read, and nothing is drawn for them."""
        self.topic(RETRY, 1)
        self.with_priorities()
        found = self.of(self.order(1), in_order=True)
        self.assertEqual(found, [("T", 1), ("T", 2), ("T", 3), ("T", 0)])

    def test_priorities(self) -> None:
        """The last queue has the highest priority, or the first one if so set."""
        self.with_priorities()
        found = self.of(self.order(99, 0))
        self.assertEqual(found, [("T", 3), ("T", 2), ("T", 1), ("T", 0)])
        found = self.of(self.order(99, 0, ascending=False))
        self.assertEqual(found, [("T", 0), ("T", 1), ("T", 2), ("T", 3)])

    def test_retry_topic_of_priorities(self) -> None:
        """It is read last, unless its own percentage says otherwise."""
        self.with_priorities()
        self.topic(RETRY, 1)
        self.assertEqual(self.of(self.order(0, 0))[-1], (RETRY, 0))
        order = self.order(0, 9, retry_first_for_priority=10)
        self.assertEqual(self.of(order)[0], (RETRY, 0))

    def test_priority_factor(self) -> None:
        """So many percent of a group's pops begin with the highest priority."""
        self.with_priorities()
        group = SubscriptionGroup("G", attributes={"priority.factor": "30"})
        self.tables.groups.put(group)
        self.assertEqual(self.of(self.order(29, 0))[0], ("T", 3))
        self.assertEqual(self.of(self.order(30, 99, 1))[0], ("T", 1))

    def test_factor_that_is_none(self) -> None:
        """Then all pops do."""
        self.with_priorities()
        for text in ("", "-1", "x", "9999"):
            group = SubscriptionGroup("G", attributes={"priority.factor": text})
            self.tables.groups.put(group)
            self.assertEqual(self.of(self.order(99, 0))[0], ("T", 3))

    def test_unreadable(self) -> None:
        """A topic that may not be read has no queues; nor has one that is gone."""
        known = self.tables.topics.require("T")
        self.tables.topics.put(replace(known, perm=2))
        self.assertEqual(self.of(self.order(99)), [])
        self.assertEqual(list(self.order(99).of("Gone", "G", -1, False)), [])

    def test_large_topics(self) -> None:
        """One pop looks at so many queues."""
        self.topic("T", MOST + 9)
        self.assertEqual(len(self.of(self.order(99, 5))), MOST)
