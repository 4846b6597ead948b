"""Handlers that are waited for."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.running import (
    RETRY,
    RunningHandlers,
    deferred_of,
    outcome_of,
)
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import StoredMessage
from tests.client.fakes import message, queues


class RunningHandlersTests(SynchronousTestCase):
    """Handlers that have 10 s."""

    def setUp(self) -> None:
        """Start without any."""
        self.clock = Clock()
        self.running = RunningHandlers(self.clock, 10.0)
        self.one, self.two = map(ProcessQueue, queues("T", 2))
        self.outcomes: list[Any] = []

    def _done(
        self, _queue: ProcessQueue, _messages: list[StoredMessage], outcome: Any
    ) -> None:
        """Note the outcome."""
        self.outcomes.append(outcome)

    def _wait(self, queue: ProcessQueue, waiting: Deferred[Any]) -> None:
        """Wait for a handler."""
        self.running.wait(queue, [message(1)], waiting, self._done)

    def test_outcome(self) -> None:
        """The outcome is passed on; a failure is logged, and means Retry."""
        waiting: Deferred[Any] = Deferred()
        self._wait(self.one, waiting)
        waiting.callback("outcome")
        self._wait(self.one, fail(KeyError("x")))
        self.assertEqual(self.outcomes, ["outcome", RETRY])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_timers(self) -> None:
        """However many handlers run there is one timer, until the stop."""
        for _ in range(50):
            self._wait(self.one, Deferred())
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(len(self.running.stop()), 50)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timeout(self) -> None:
        """A handler that exceeds the timeout is cancelled; its message is retried."""
        cancelled: list[object] = []
        self._wait(self.one, Deferred(cancelled.append))
        self.clock.advance(10)
        self.assertEqual((len(cancelled), self.outcomes), (1, [RETRY]))

    def test_cannot_be_cancelled(self) -> None:
        """What raises when it is cancelled is logged, and does not stop the timer."""

        def cancel(_deferred: object) -> None:
            raise ZeroDivisionError

        self._wait(self.one, Deferred(cancel))
        self._wait(self.two, Deferred())
        self.clock.advance(10)
        self.assertEqual(self.outcomes, [RETRY, RETRY])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self._wait(self.one, Deferred())
        self.clock.advance(10)
        self.assertEqual(len(self.outcomes), 3)

    def test_ignores_cancellation(self) -> None:
        """What a handler returns after its timeout is ignored."""
        waiting: Deferred[Any] = Deferred(lambda d: d.callback("late"))
        self._wait(self.one, waiting)
        self.clock.advance(10)
        self.assertEqual(len(self.outcomes), 1)

    def test_cancel(self) -> None:
        """The handlers of one queue can be cancelled, and all."""
        self._wait(self.one, Deferred())
        self._wait(self.two, Deferred())
        self.assertEqual(len(self.running.cancel(self.one)), 1)
        self.assertEqual(len(self.running.cancel()), 1)
        self.assertEqual(self.outcomes, [RETRY, RETRY])

    def test_outcome_that_is_there(self) -> None:
        """What has fired already is not waited for; what waits for another is."""
        self.assertEqual(outcome_of(succeed(4), []), 4)
        self.assertEqual(outcome_of(fail(KeyError("x")), [message(1)]), RETRY)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        later: Deferred[int] = Deferred()
        chained = outcome_of(succeed(None).addCallback(lambda _: later), [])
        later.callback(5)
        self.assertEqual(self.successResultOf(chained), 5)

    def test_coroutine(self) -> None:
        """A coroutine becomes a Deferred; other values stay as they are."""

        async def handler() -> int:
            return 3

        self.assertEqual(self.successResultOf(deferred_of(handler())), 3)
        self.assertEqual(deferred_of(3), 3)
