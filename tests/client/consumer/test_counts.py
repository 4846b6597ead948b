"""Counts and rates."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.counts import ConsumerCounts
from rocketmq_tw.wire.bodies.running_info import ConsumeStatus


class ConsumerCountsTests(SynchronousTestCase):
    """The counts of one topic."""

    def test_rates(self) -> None:
        """The rates are those since the oldest sample; old samples are dropped."""
        counts = ConsumerCounts()
        topic = counts.of("T")
        for second in range(0, 100, 5):
            counts.sample(second)
            topic.pulls += 1
            topic.pull_time += 0.25
            topic.pulled += 50
            topic.consumed += 45
            topic.failed += 5
            topic.invocations += 10
            topic.invocation_time += 1.25
        self.assertEqual(
            counts.status(100),
            {
                "T": ConsumeStatus(
                    pull_rt=250.0,
                    pull_tps=10,
                    consume_rt=125.0,
                    consume_ok_tps=9,
                    consume_failed_tps=1,
                    consume_failed_msgs=100,
                )
            },
        )

    def test_at_once(self) -> None:
        """Without a sample there is no rate yet."""
        counts = ConsumerCounts()
        counts.of("T").failed += 1
        self.assertEqual(counts.status(1), {"T": ConsumeStatus(consume_failed_msgs=1)})
