"""Tests of rocketmq_tw.model.route."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import TooManyQueues
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import MAX_QUEUES, BrokerData, QueueData, TopicRoute
from tests.fuzz.cost import measure

ROUTE = TopicRoute(
    (
        BrokerData("C", "b", {0: "10.0.0.2:10911", 1: "10.0.0.3:10911"}),
        BrokerData("C", "a", {0: "10.0.0.1:10911"}),
        BrokerData("C", "orphan", {1: "10.0.0.4:10911"}),
    ),
    (
        QueueData("orphan", 1, 1, 6),
        QueueData("b", 1, 2, 6),
        QueueData("a", 1, 1, 4),
    ),
)


class QueueListTests(SynchronousTestCase):
    """A route is expanded into the queues to write and to read."""

    def test_writable_needs_permission_and_master(self) -> None:
        """Read-only queues and those without master are not written to."""
        self.assertEqual(
            ROUTE.writable("T"), [MessageQueue("T", "b", 0), MessageQueue("T", "b", 1)]
        )

    def test_readable_needs_no_master(self) -> None:
        """Queues are read from replicas too, in the order of broker names."""
        names = [queue.broker_name for queue in ROUTE.readable("T")]
        self.assertEqual(names, ["a", "b", "orphan"])

    def test_order_conf_counts_alone(self) -> None:
        """An order configuration fixes the queues; what is not of its form is left."""
        route = TopicRoute(
            queue_datas=(QueueData("x", 4, 4, 6),), order_topic_conf="b:2;a:1;"
        )
        self.assertTrue(route.ordered)
        self.assertEqual(
            route.writable("T"),
            [
                MessageQueue("T", "b", 0),
                MessageQueue("T", "b", 1),
                MessageQueue("T", "a", 0),
            ],
        )

    def test_master_of(self) -> None:
        """The master is the broker with id 0."""
        self.assertEqual(ROUTE.master_of("b"), "10.0.0.2:10911")
        self.assertIsNone(ROUTE.master_of("orphan"))
        self.assertIsNone(ROUTE.master_of("unknown"))

    def test_canonical_routes_compare(self) -> None:
        """The order in which a name server lists brokers makes no difference."""
        other = TopicRoute(ROUTE.broker_datas[::-1], ROUTE.queue_datas[::-1])
        self.assertNotEqual(other, ROUTE)
        self.assertEqual(other.canonical(), ROUTE.canonical())

    def test_too_many_queues(self) -> None:
        """A few digits do not stand for thousands of millions of queues."""
        broker = BrokerData("C", "b", {0: "10.0.0.2:10911"})
        for count in (MAX_QUEUES + 1, 1 << 62):
            route = TopicRoute((broker,), (QueueData("b", count, count, 6),))
            self.assertRaises(TooManyQueues, route.readable, "T")
            self.assertRaises(TooManyQueues, route.writable, "T")
            ordered = TopicRoute(order_topic_conf=f"b:1;c:{min(count, 10**8)}")
            self.assertRaises(TooManyQueues, ordered.writable, "T")
        queues = TopicRoute((), (QueueData("b", 9, -5, 6), QueueData("c", -5, 0, 6)))
        self.assertEqual(len(queues.readable("T")), 9)

    def test_a_long_count_is_of_another_form(self) -> None:
        """Digits that are no number of queues are left, as letters are."""
        route = TopicRoute(order_topic_conf="b:1;a:" + "9" * 5000)
        self.assertEqual(route.writable("T"), [MessageQueue("T", "b", 0)])

    def test_many_brokers(self) -> None:
        """The masters are looked up, not searched for each broker's queues."""
        names = [f"b{number}" for number in range(300)]
        route = TopicRoute(
            tuple(BrokerData("C", name, {0: "10.0.0.1:1"}) for name in names),
            tuple(QueueData(name, 1, 1, 6) for name in names),
        )
        cost, _ = measure(lambda: route.writable("T"))
        self.assertLess(cost.work, 40 * len(names))
