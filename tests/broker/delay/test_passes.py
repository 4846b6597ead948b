"""Passes that follow each other when something is needed."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.delay.passes import IDLE, Passes


class PassesTests(SynchronousTestCase):
    """Passes that note when they begin."""

    def setUp(self) -> None:
        """Start in 0.5 seconds."""
        self.clock = Clock()
        self.began: list[float] = []
        self.result: Deferred[None] = succeed(None)
        self.needed: list[float] = []
        self.passes = Passes(self.clock, self.run_one)
        self.passes.start(0.5)

    def run_one(self) -> Deferred[None]:
        """Note the time, and what is needed next."""
        self.began.append(self.clock.seconds())
        needed, self.needed = self.needed, []
        for wait in needed:
            self.passes.need(wait)
        return self.result

    def test_idle(self) -> None:
        """Where nothing is needed there is one in each second."""
        self.clock.pump([0.5, IDLE, IDLE])
        self.assertEqual(self.began, [0.5, 0.5 + IDLE, 0.5 + 2 * IDLE])

    def test_needed(self) -> None:
        """The earliest need counts, up to a second, and only once."""
        self.needed = [7.0, 0.25, 0.5]
        self.clock.pump([0.5])
        self.needed = [-1.0]
        self.clock.pump([0.25])
        self.clock.pump([0.0, 0.25])
        self.assertEqual(self.began, [0.5, 0.75, 0.75])

    def test_slow(self) -> None:
        """The next one waits for the end of this one."""
        self.result = Deferred()
        self.clock.pump([0.5, 5.0])
        self.result.callback(None)
        self.clock.pump([IDLE])
        self.assertEqual(self.began, [0.5, 5.5 + IDLE])

    def test_failure(self) -> None:
        """It is logged, and ends nothing."""
        self.result = fail(ValueError("broken"))
        self.clock.pump([0.5])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.clock.pump([IDLE])
        self.assertEqual(len(self.began), 2)
        self.flushLoggedErrors(ValueError)

    def test_stop(self) -> None:
        """Nothing is scheduled, also after a pass that ends later."""
        self.result = Deferred()
        self.clock.pump([0.5])
        self.passes.stop()
        self.result.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.passes.start(0.5)
        self.passes.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_and_start_during_a_pass(self) -> None:
        """There is one chain of passes, not two."""
        first = self.result = Deferred()
        self.clock.pump([0.5])
        self.passes.stop()
        self.passes.start(0.5)
        first.callback(None)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertTrue(self.passes.running)
