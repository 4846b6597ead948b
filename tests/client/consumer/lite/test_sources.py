"""What a pull consumer reads."""

from __future__ import annotations

from rocketmq_tw.model.group import ConsumeFrom, ConsumeType
from rocketmq_tw.model.subscription import IllegalSubscription
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList, Heartbeat
from tests.client.consumer.lite.cases import PullConsumerCase


class SourcesTests(PullConsumerCase):
    """Subscriptions of one consumer."""

    def test_heartbeat(self) -> None:
        """Brokers see an active consumer, without a retry topic."""
        self.started()
        request = self.traffic.requests(Heartbeat)[-1]
        (data,) = HeartbeatData.decode(request.body).consumer_data_set
        self.assertEqual(data.consume_type, ConsumeType.CONSUME_ACTIVELY)
        self.assertEqual(data.consume_from_where, ConsumeFrom.CONSUME_FROM_LAST_OFFSET)
        self.assertEqual([s.topic for s in data.subscription_data_set], ["T"])

    def test_later(self) -> None:
        """Topics may be added and removed while it runs."""
        self.cluster.create_topic("U", 1)
        consumer = self.consumer()
        self.cluster.result_of(consumer.start())
        for topics in (["T"], ["T", "U"]):
            consumer.subscribe(topics[-1])
            self.cluster.advance(1)
            found = sorted({queue.topic for queue in consumer.assignment()})
            self.assertEqual(found, topics)
        consumer.unsubscribe("T")
        self.cluster.advance(1)
        self.assertEqual({queue.topic for queue in consumer.assignment()}, {"U"})

    def test_notified_often(self) -> None:
        """However many members join in a second, there is one more rebalance."""
        consumer = self.started()
        self.cluster.advance(5)
        self.traffic.clear()
        client = self.cluster.clients[-1]
        for _ in range(20):
            client.session.groups.notify_consumer("G")
            self.cluster.advance(0.01)
        self.cluster.advance(2)
        self.assertLessEqual(len(self.traffic.requests(GetConsumerList)), 2)
        self.assertEqual(len(consumer.assignment()), 2)

    def test_wrong_expression(self) -> None:
        """An expression without a tag is refused, and changes nothing."""
        consumer = self.consumer()
        self.assertRaises(IllegalSubscription, consumer.subscribe, "T", "||")
        self.assertRaises(IllegalSubscription, consumer.assign, self.queues, "||")
        consumer.assign(self.queues)
