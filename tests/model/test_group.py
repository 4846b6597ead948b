"""Tests of rocketmq_tw.model.group."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import PREDEFINED_GROUPS, SubscriptionGroup
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.wire import fastjson


class SubscriptionGroupTests(SynchronousTestCase):
    """A group's defaults and wire names are Java's."""

    def test_golden_text(self) -> None:
        """A new group is written exactly as Apache RocketMQ writes it."""
        self.assertEqual(
            fastjson.dumps(SubscriptionGroup("CG")),
            b'{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,'
            b'"consumeEnable":true,"consumeFromMinEnable":true,'
            b'"consumeMessageOrderly":false,"consumeTimeoutMinute":15,'
            b'"groupName":"CG","groupRetryPolicy":{"type":"CUSTOMIZED"},'
            b'"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,'
            b'"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}',
        )

    def test_retry_policies_are_read(self) -> None:
        """The policies of 5.x keep their waits."""
        group = fastjson.decode_as(
            b'{"groupName":"g","groupRetryPolicy":{"type":"CUSTOMIZED",'
            b'"customizedRetryPolicy":{"next":[1000,5000]}}}',
            SubscriptionGroup,
        )
        policy = group.group_retry_policy.customized_retry_policy
        assert policy is not None
        self.assertEqual(policy.next, (1000, 5000))

    def test_predefined_groups_are_legal(self) -> None:
        """The groups every broker has are named by the rules."""
        for name in PREDEFINED_GROUPS:
            check_group_name(name)
