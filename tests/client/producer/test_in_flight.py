"""How many messages and bytes are in flight at once."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import QueueFull
from rocketmq_tw.client.producer.in_flight import InFlight


class InFlightTests(SynchronousTestCase):
    """A limit of two messages and 100 bytes."""

    def setUp(self) -> None:
        """Start with nothing in flight."""
        self.limit = InFlight(2, 100, max_waiting=2)

    def test_messages(self) -> None:
        """The third message waits until one of the others is done."""
        self.assertTrue(self.limit.try_acquire(1))
        self.assertTrue(self.limit.try_acquire(1))
        self.assertFalse(self.limit.try_acquire(1))
        waiting = self.limit.acquire(1)
        self.assertNoResult(waiting)
        self.limit.release(1)
        self.successResultOf(waiting)
        self.assertEqual((self.limit.messages, self.limit.size), (2, 2))

    def test_bytes(self) -> None:
        """A message that is too large by itself is sent alone."""
        self.assertTrue(self.limit.try_acquire(500))
        self.assertFalse(self.limit.try_acquire(1))
        self.limit.release(500)
        self.assertTrue(self.limit.try_acquire(60))
        self.assertFalse(self.limit.has_permit(41))
        self.assertTrue(self.limit.has_permit(40))

    def test_order_of_arrival(self) -> None:
        """A small message does not overtake a large one that waits."""
        self.limit.try_acquire(60)
        large, small = self.limit.acquire(90), self.limit.acquire(1)
        self.assertNoResult(small)
        self.limit.release(60)
        self.successResultOf(large)
        self.successResultOf(small)

    def test_too_many_wait(self) -> None:
        """Beyond the limit of those who wait the next one fails."""
        self.limit.try_acquire(500)
        waiting = [self.limit.acquire(1) for _ in range(3)]
        self.failureResultOf(waiting[2], QueueFull)

    def test_cancelled(self) -> None:
        """Who gives up waiting makes way for the next."""
        self.limit.try_acquire(500)
        first, second = self.limit.acquire(90), self.limit.acquire(1)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.limit.release(500)
        self.successResultOf(second)

    def test_released_while_granting(self) -> None:
        """Thousands that get a permit and return it at once do not fill the stack."""
        limit = InFlight(1, 100)
        limit.try_acquire(1)

        def give_back(_: None) -> None:
            limit.release(1)

        waiting = [limit.acquire(1).addCallback(give_back) for _ in range(5000)]
        limit.release(1)
        for each in waiting:
            self.successResultOf(each)

    def test_idle(self) -> None:
        """It is idle when nothing is in flight and nobody waits."""
        self.successResultOf(self.limit.when_idle())
        self.limit.try_acquire(500)
        waiting = self.limit.acquire(1)
        idle: Deferred[None] = self.limit.when_idle()
        self.limit.release(500)
        self.successResultOf(waiting)
        self.assertNoResult(idle)
        self.limit.release(1)
        self.successResultOf(idle)
