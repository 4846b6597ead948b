"""Tests of rocketmq_tw.wire.bodies.running_info."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumeResult,
    ConsumerRunningInfo,
)


class GoTests(SynchronousTestCase):
    """Responses of Go clients are read."""

    def test_ordinal(self) -> None:
        """Go gives the result as a number."""
        result = ConsumeMessageDirectlyResult.decode(
            b'{"order":false,"autoCommit":true,"consumeResult":1,"spentTimeMills":2}'
        )
        self.assertIs(result.consume_result, ConsumeResult.CR_LATER)

    def test_queue_keys_in_another_order(self) -> None:
        """Go writes topic, broker name and queue id in that order, bare."""
        info = ConsumerRunningInfo.decode(
            b'{"mqTable":{{"topic":"T","brokerName":"b","queueId":1}:'
            b'{"commitOffset":5,"dropped":true}},"subscriptionSet":null}'
        )
        queue = info.mq_table[MessageQueue("T", "b", 1)]
        self.assertEqual(queue.commit_offset, 5)
