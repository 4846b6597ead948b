"""Tests of rocketmq_tw.model.route."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import BrokerData, QueueData, TopicRoute

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
