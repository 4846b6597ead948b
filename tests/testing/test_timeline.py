"""Time that goes from timer to timer."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.testing.timeline import NoResult, Timeline


class TimelineTests(SynchronousTestCase):
    """Everything happens at its time."""

    def setUp(self) -> None:
        """Start at the time 1000."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.timeline = Timeline(self.clock)
        self.ticks: list[float] = []

    def tick(self) -> None:
        """Note the time, and go on."""
        self.ticks.append(self.clock.seconds())
        self.clock.callLater(0.1, self.tick)

    def test_chained_timers(self) -> None:
        """A timer that sets the next is never late, however far time goes."""
        self.tick()
        self.timeline.advance(100)
        self.assertEqual(len(self.ticks), 1001)
        self.assertAlmostEqual(self.ticks[-1], 1100)
        self.assertEqual(self.clock.seconds(), 1100)

    def test_condition(self) -> None:
        """Time stops as soon as the condition holds."""
        self.tick()
        self.timeline.wait_until(lambda: len(self.ticks) == 11)
        self.assertAlmostEqual(self.clock.seconds(), 1001)
        error = self.assertRaises(NoResult, self.timeline.wait_until, lambda: 0, 2.5)
        self.assertIn("within 2.5 s", str(error))
        self.assertAlmostEqual(self.clock.seconds(), 1003.5)

    def test_result(self) -> None:
        """So it does once a Deferred has fired, or a coroutine is through."""
        later = deferLater(self.clock, 5, lambda: "done")
        self.assertEqual(self.timeline.result_of(later), "done")

        async def twice() -> float:
            await deferLater(self.clock, 1)
            await deferLater(self.clock, 1)
            return self.clock.seconds()

        self.assertEqual(self.timeline.result_of(twice()), 1007)

    def test_failure(self) -> None:
        """What failed is raised; what never comes is an error of its own."""
        failed: Deferred[None] = fail(ZeroDivisionError())
        self.assertRaises(ZeroDivisionError, self.timeline.result_of, failed)
        never: Deferred[None] = Deferred()
        self.assertRaises(NoResult, self.timeline.result_of, never, 3)
        self.assertEqual(self.clock.seconds(), 1003)

    def test_only_the_test_lets_time_pass(self) -> None:
        """Code that runs on the clock cannot run it."""
        self.clock.callLater(1, self.timeline.advance, 1)
        self.assertRaises(RuntimeError, self.timeline.advance, 2)
        self.timeline.advance(1)
