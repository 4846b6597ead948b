"""When a connection counts as idle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.idle import IdleTimer


class IdleTimerTests(SynchronousTestCase):
    """A timer of ten seconds."""

    def setUp(self) -> None:
        """Start it; nothing was active yet."""
        self.clock = Clock()
        self.active = 0.0
        self.cut = 0
        self.timer = self.make(10)
        self.timer.start()

    def make(self, timeout: float) -> IdleTimer:
        """Make a timer."""
        return IdleTimer(
            self.clock,
            timeout=timeout,
            last_active=lambda: self.active,
            on_idle=self.count,
        )

    def count(self) -> None:
        """Count a cut."""
        self.cut += 1

    def test_idle(self) -> None:
        """It fires once, when the time is up."""
        self.clock.advance(9.9)
        self.assertEqual(self.cut, 0)
        self.clock.advance(0.1)
        self.clock.advance(100)
        self.assertEqual(self.cut, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_active(self) -> None:
        """What comes or goes gives it the whole time again."""
        self.active = 7.0
        self.clock.advance(10)
        self.clock.advance(6.9)
        self.assertEqual(self.cut, 0)
        self.clock.advance(0.1)
        self.assertEqual(self.cut, 1)

    def test_stopped(self) -> None:
        """A stopped one fires no more; stopping again is no error."""
        self.timer.stop()
        self.timer.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_off(self) -> None:
        """0 seconds watch nothing."""
        self.timer.stop()
        off = self.make(0)
        off.start()
        off.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_looking_too_early(self) -> None:
        """A timer that runs early, because the time of day was set, closes nothing."""
        timers = Clock()
        early: Any = SimpleNamespace(
            seconds=self.clock.seconds, callLater=timers.callLater
        )
        timer = IdleTimer(
            early, timeout=10, last_active=lambda: 0.0, on_idle=self.count
        )
        self.timer.stop()
        timer.start()
        timers.advance(600)
        self.assertEqual(self.cut, 0)
        self.clock.advance(10)
        timers.advance(10)
        self.assertEqual(self.cut, 1)
