"""Strategies of applications."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.group.allocation import strategy
from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.model.queue import MessageQueue


class StrategyTests(SynchronousTestCase):
    """A function that follows the type."""

    def test_function(self) -> None:
        """It is accepted as an option, and is the strategy itself."""

        def first(
            _client_id: str, queues: Sequence[MessageQueue], _members: Sequence[str]
        ) -> Sequence[MessageQueue]:
            return queues[:1]

        given: Strategy = first
        self.assertIs(strategy(ConsumerConfig(strategy=given).strategy), first)
