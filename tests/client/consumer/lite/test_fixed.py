"""Queues of the application's choice."""

from __future__ import annotations

from rocketmq_tw.client.errors import StateError
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.client.consumer.lite.cases import PullConsumerCase


class FixedQueuesTests(PullConsumerCase):
    """A consumer with ``assign``."""

    def test_reads_them(self) -> None:
        """It reads its queues alone, commits, and joins no group."""
        self.send(2, queue_id=0)
        self.send(3, queue_id=1)
        consumer = self.consumer()
        consumer.assign([self.queues[1]])
        self.cluster.result_of(consumer.start())
        self.cluster.advance(0.1)
        self.assertEqual(self.poll(consumer), [b"0", b"1", b"2"])
        for request in self.traffic.requests(Heartbeat):
            self.assertEqual(HeartbeatData.decode(request.body).consumer_data_set, ())
        self.cluster.result_of(consumer.commit())
        self.assertEqual(self.committed(1), 3)

    def test_other_queues(self) -> None:
        """Another choice releases the old queues; none at all is possible, too."""
        consumer = self.consumer()
        self.cluster.result_of(consumer.start())
        for chosen in ([self.queues[1]], [self.queues[0]], self.queues, []):
            consumer.assign(chosen)
            self.cluster.advance(1)
            self.assertEqual(consumer.assignment(), chosen)

    def test_expression(self) -> None:
        """Only matching messages are read."""
        self.send(2, tag="a")
        self.send(3, tag="b")
        consumer = self.consumer()
        consumer.assign(self.queues, "b")
        self.cluster.result_of(consumer.start())
        self.cluster.advance(0.1)
        self.assertEqual(len(self.poll(consumer)), 3)

    def test_broker_away(self) -> None:
        """A queue whose broker is away is acquired once it is back."""
        consumer = self.consumer()
        self.cluster.broker.stop()
        consumer.assign(self.queues)
        self.cluster.result_of(consumer.start())
        self.assertEqual(consumer.assignment(), [])
        self.cluster.broker.start()
        self.cluster.create_topic("T", self.queue_count)
        self.cluster.wait_until(consumer.assignment)

    def test_not_both(self) -> None:
        """Subscribing and choosing exclude each other."""
        consumer = self.consumer()
        consumer.assign(self.queues)
        self.assertRaises(StateError, consumer.subscribe, "T")
        consumer = self.consumer()
        consumer.subscribe("T")
        self.assertRaises(StateError, consumer.assign, self.queues)
