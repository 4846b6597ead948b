"""The kinds of dispatch."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.dispatch.concurrent import ConcurrentDispatcher
from rocketmq_tw.client.consumer.dispatch.kinds import make_dispatcher
from rocketmq_tw.client.consumer.dispatch.orderly import OrderlyDispatcher
from rocketmq_tw.client.consumer.dispatch.send_back import MessageReturns


class KindTests(SynchronousTestCase):
    """The option ``ordered`` chooses."""

    def _make(self, **options: Any) -> object:
        """Make the dispatcher of a consumer with these options."""
        unused: Any = MessageReturns

        return make_dispatcher(
            clock=Clock(),
            config=ConsumerConfig(**options),
            handler_of=unused,
            consumed=unused,
            returns=unused,
            is_held=unused,
        )

    def test_kinds(self) -> None:
        """Without order messages are dispatched concurrently."""
        self.assertIsInstance(self._make(), ConcurrentDispatcher)
        self.assertIsInstance(self._make(ordered=True), OrderlyDispatcher)
