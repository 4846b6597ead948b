"""Those who wait for one event, each with a Deferred of its own."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.waiters import Waiters


class WaiterTests(SynchronousTestCase):
    """Who is called, and how often."""

    def test_all_fire_once(self) -> None:
        """Each fires, and not again with the next event."""
        waiters = Waiters()
        waiting = [waiters.add() for _ in range(3)]
        waiters.fire()
        for each in waiting:
            self.assertIsNone(self.successResultOf(each))
        waiters.fire()

    def test_added_while_firing(self) -> None:
        """One that is added by a callback waits for the next event."""
        waiters = Waiters()
        later = []
        waiters.add().addCallback(lambda _: later.append(waiters.add()))
        waiters.fire()
        self.assertNoResult(later[0])
        waiters.fire()
        self.successResultOf(later[0])

    def test_cancelled(self) -> None:
        """One that was cancelled is forgotten."""
        waiters = Waiters()
        waiting = waiters.add()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        waiters.fire()

    def test_cancelled_while_firing(self) -> None:
        """One that another's callback cancels is not called again."""
        waiters = Waiters()
        first, second = waiters.add(), waiters.add()
        first.addCallback(lambda _: second.cancel())
        waiters.fire()
        self.failureResultOf(second, CancelledError)

    def test_notified_of_a_cancel(self) -> None:
        """Whoever keeps them can learn that somebody waits no longer."""
        notified: list[int] = []
        waiters = Waiters(lambda: notified.append(len(waiters)))
        first, _second = waiters.add(), waiters.add()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        waiters.fire()
        self.assertEqual((notified, len(waiters)), ([1], 0))
