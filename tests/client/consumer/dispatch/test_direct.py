"""Consuming one message directly."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.direct import DirectDispatcher
from rocketmq_tw.client.consumer.dispatch.outcomes import ACK, Retry
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumeResult,
)
from tests.client.fakes import message


class DirectDispatcherTests(SynchronousTestCase):
    """A dispatcher whose handler is the test's."""

    def setUp(self) -> None:
        """Start with a handler that returns nothing."""
        self.clock = Clock()
        self.outcome: Any = None
        self.seen: list[Any] = []

    def _handle(self, given: Any) -> Any:
        """Note the message."""
        self.seen.append(given)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def _consume(self, **options: Any) -> Deferred[ConsumeMessageDirectlyResult]:
        """Consume a message."""
        options = {"ordered": False, "batch": False, "handler_timeout": 10, **options}
        dispatcher = DirectDispatcher(
            clock=self.clock, handler_of=lambda _topic: self._handle, **options
        )
        return dispatcher.consume(message(1))

    def test_results(self) -> None:
        """The outcome is the result, under Java's names."""
        for self.outcome, expected in (
            (None, ConsumeResult.CR_SUCCESS),
            (ACK, ConsumeResult.CR_SUCCESS),
            (Retry(), ConsumeResult.CR_LATER),
            (ValueError("bad"), ConsumeResult.CR_THROW_EXCEPTION),
        ):
            with self.subTest(self.outcome):
                result = self.successResultOf(self._consume())
                self.assertEqual(result.consume_result, expected)
        self.assertIn("ValueError: bad", result.remark or "")

    def test_waits(self) -> None:
        """A Deferred is waited for; the result has the time."""
        self.outcome = waiting = Deferred()
        consumed = self._consume(ordered=True)
        self.clock.advance(2)
        waiting.callback(None)
        result = self.successResultOf(consumed)
        self.assertEqual((result.spent_time_mills, result.order), (2000, True))

    def test_timeout(self) -> None:
        """A handler that hangs is cancelled."""
        self.outcome = Deferred()
        consumed = self._consume()
        self.clock.advance(10)
        result = self.successResultOf(consumed)
        self.assertEqual(result.consume_result, ConsumeResult.CR_THROW_EXCEPTION)

    def test_batch(self) -> None:
        """A handler of batches gets a list."""
        self.successResultOf(self._consume(batch=True))
        self.assertEqual(self.seen, [[message(1)]])
