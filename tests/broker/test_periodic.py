"""What a broker does periodically."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.periodic import Periodic


class PeriodicTests(SynchronousTestCase):
    """Functions that count their calls."""

    def setUp(self) -> None:
        """Run two functions, one of which fails."""
        self.clock = Clock()
        self.periodic = Periodic(self.clock)
        self.calls: list[str] = []
        self.periodic.every(1000, lambda: self.calls.append("second"))
        self.periodic.every(2500, self.fail_after_note)

    def fail_after_note(self) -> None:
        """Note the call, and fail."""
        self.calls.append("failing")
        raise ZeroDivisionError

    def test_each_at_its_own_period(self) -> None:
        """None runs at once; one that fails is logged and runs again."""
        self.assertEqual(self.calls, [])
        self.clock.pump([0.5] * 10)
        self.assertEqual(self.calls.count("second"), 5)
        self.assertEqual(self.calls.count("failing"), 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_failure_that_comes_later(self) -> None:
        """A Deferred that fails is logged; nobody waits for it."""
        late: list[Deferred[None]] = []

        def begin() -> Deferred[None]:
            late.append(Deferred())
            return late[-1]

        self.periodic.every(400, begin)
        self.clock.pump([0.4, 0.4])
        self.assertEqual(len(late), 2)
        late[0].errback(KeyError("late"))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_stop(self) -> None:
        """Nothing runs after the end; ending twice is no error."""
        self.periodic.stop()
        self.periodic.stop()
        self.clock.advance(10)
        self.assertEqual(self.calls, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
