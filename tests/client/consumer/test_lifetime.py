"""The life of a consumer."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.lifetime import Lifetime, State
from rocketmq_tw.client.errors import StateError


class LifetimeTests(SynchronousTestCase):
    """A consumer whose start waits for the test."""

    def setUp(self) -> None:
        """Begin the start."""
        self.life = Lifetime("G")
        self.joined: Deferred[None] = Deferred()
        self.cancelled = 0
        self.started = self.life.start(self.start(), self.cancel)

    async def start(self) -> str:
        """Start when the test says so."""
        self.life.check_new()
        self.life.state = State.STARTING
        await self.joined
        await self.life.has_started()
        return "consumer"

    def cancel(self) -> None:
        """Stop."""
        self.cancelled += 1
        self.life.end()

    def test_started(self) -> None:
        """The result is the coroutine's; it cannot be started again."""
        self.assertNoResult(self.started)
        self.joined.callback(None)
        self.assertEqual(self.successResultOf(self.started), "consumer")
        self.assertIs(self.life.state, State.RUNNING)
        again = self.life.start(self.start(), self.cancel)
        error = self.failureResultOf(again, StateError).value
        self.assertEqual(str(error), "the consumer is running already")

    def test_failed(self) -> None:
        """So is the failure."""
        self.joined.errback(KeyError("why"))
        self.failureResultOf(self.started, KeyError)

    def test_stopped_meanwhile(self) -> None:
        """A start that is overtaken by a stop ends with the stop."""
        self.life.state = State.STOPPING
        self.joined.callback(None)
        self.assertNoResult(self.started)
        self.life.end()
        self.assertEqual(self.successResultOf(self.started), "consumer")
        self.assertIs(self.life.state, State.STOPPED)

    def test_cancelled(self) -> None:
        """Cancelling the start stops the consumer; what the start gives is ignored."""
        self.started.cancel()
        self.failureResultOf(self.started, CancelledError)
        self.assertEqual(self.cancelled, 1)
        self.joined.callback(None)

    def test_done(self) -> None:
        """Each who waits has a Deferred of its own; later, it has fired already."""
        one, two = self.life.done, self.life.done
        self.life.end()
        for each in (one, two, self.life.done):
            self.successResultOf(each)
        self.joined.callback(None)
