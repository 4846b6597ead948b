"""Tests of rocketmq_tw.wire.bodies.heartbeat."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData


class ToleranceTests(SynchronousTestCase):
    """Heartbeats of clients in other languages are read."""

    def test_go(self) -> None:
        """Go sends null for empty sets, and hash codes as text."""
        beat = HeartbeatData.decode(
            b'{"clientID":"c","producerDataSet":null,"consumerDataSet":[{'
            b'"groupName":"g","consumeType":"CONSUME_PASSIVELY",'
            b'"messageModel":"BROADCASTING",'
            b'"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[{'
            b'"classFilterMode":false,"topic":"T","subString":"TagA",'
            b'"tagsSet":["TagA"],"codeSet":["2598919"],"subVersion":1,'
            b'"expressionType":null}],"unitMode":false}]}'
        )
        self.assertEqual(beat.producer_data_set, ())
        consumer = beat.consumer_data_set[0]
        self.assertIs(consumer.message_model, MessageModel.BROADCASTING)
        subscription = consumer.subscription_data_set[0]
        self.assertEqual(subscription.code_set, {2598919})
        self.assertTrue(subscription.is_tag)

    def test_unknown_enum(self) -> None:
        """A consume type of the future is null, not an error."""
        beat = HeartbeatData.decode(
            b'{"clientID":"c","consumerDataSet":[{"groupName":"g",'
            b'"consumeType":"CONSUME_SOMEHOW","subscriptionDataSet":null}]}'
        )
        self.assertIsNone(beat.consumer_data_set[0].consume_type)
        self.assertEqual(beat.consumer_data_set[0].subscription_data_set, ())
