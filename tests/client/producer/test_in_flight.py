"""How many messages and bytes are in flight at once."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import QueueFull
from rocketmq_tw.client.producer.in_flight import InFlight


class Message:
    """A message that waits; it notes when it gets its permit."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.then = then
        self.has_permit = False

    def granted(self) -> None:
        """Note it."""
        self.has_permit = True
        if self.then is not None:
            self.then()


class InFlightTests(SynchronousTestCase):
    """A limit of two messages and 100 bytes."""

    def setUp(self) -> None:
        """Start with nothing in flight."""
        self.limit = InFlight(2, 100, max_waiting=2)

    def wait(self, size: int) -> Message:
        """Let a message wait."""
        message = Message()
        self.limit.wait(message, size)
        return message

    def test_messages(self) -> None:
        """The third message waits until one of the others is done."""
        self.assertTrue(self.limit.try_acquire(1))
        self.assertTrue(self.limit.try_acquire(1))
        self.assertFalse(self.limit.try_acquire(1))
        waiting = self.wait(1)
        self.assertFalse(waiting.has_permit)
        self.limit.release(1)
        self.assertTrue(waiting.has_permit)
        self.assertEqual((self.limit.messages, self.limit.size), (2, 2))

    def test_bytes(self) -> None:
        """A message that is too large by itself is sent alone."""
        self.assertTrue(self.limit.try_acquire(500))
        self.assertFalse(self.limit.try_acquire(1))
        self.limit.release(500)
        self.assertTrue(self.limit.try_acquire(60))
        self.assertFalse(self.limit.has_permit(41))
        self.assertTrue(self.limit.has_permit(40))
        self.limit.check(40)
        error = self.assertRaises(QueueFull, self.limit.check, 41)
        self.assertIn("1 messages of 60 bytes are in flight", str(error))

    def test_order_of_arrival(self) -> None:
        """A small message does not overtake a large one that waits."""
        self.limit.try_acquire(60)
        large, small = self.wait(90), self.wait(1)
        self.assertFalse(small.has_permit)
        self.limit.release(60)
        self.assertTrue(large.has_permit and small.has_permit)

    def test_too_many_wait(self) -> None:
        """Beyond the limit of those who wait the next one fails."""
        self.limit.try_acquire(500)
        self.wait(1)
        self.wait(1)
        self.assertRaises(QueueFull, self.wait, 1)

    def test_stop_waiting(self) -> None:
        """Who gives up waiting makes way for the next."""
        self.limit.try_acquire(500)
        first, second = self.wait(90), self.wait(1)
        self.limit.stop_waiting(first)
        self.limit.stop_waiting(first)
        self.limit.release(500)
        self.assertEqual((first.has_permit, second.has_permit), (False, True))

    def test_released_while_granting(self) -> None:
        """Thousands that get a permit and return it at once do not fill the stack."""
        limit = InFlight(1, 100)
        limit.try_acquire(1)
        waiting = [Message(lambda: limit.release(1)) for _ in range(5000)]
        for each in waiting:
            limit.wait(each, 1)
        limit.release(1)
        self.assertTrue(all(each.has_permit for each in waiting))

    def test_idle(self) -> None:
        """It is idle when nothing is in flight and nobody waits."""
        self.successResultOf(self.limit.when_idle())
        self.limit.try_acquire(500)
        waiting = self.wait(1)
        idle: Deferred[None] = self.limit.when_idle()
        self.limit.release(500)
        self.assertTrue(waiting.has_permit)
        self.assertNoResult(idle)
        self.limit.release(1)
        self.successResultOf(idle)

    def test_cancelled_when_idle(self) -> None:
        """Who waits may be cancelled by another who waited."""
        self.limit.try_acquire(500)
        first, second = self.limit.when_idle(), self.limit.when_idle()
        first.addCallback(lambda _: second.cancel())
        self.limit.release(500)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
