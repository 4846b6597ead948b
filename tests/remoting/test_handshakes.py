"""Handshakes at once, and in one iteration."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.handshakes import COUNT, Handshakes


class Recorded:
    """A handshake that counts its steps."""

    def __init__(
        self, host: str = "10.0.0.9", cost: float = 0, clock: Clock | None = None
    ) -> None:
        self.host = host
        self.steps = 0
        self.refused = ""
        self._cost = cost
        self._clock = clock

    def step(self) -> None:
        """Count."""
        self.steps += 1
        if self._clock is not None:
            self._clock.rightNow += self._cost

    def refuse(self, why: str) -> None:
        """Remember the reason."""
        self.refused = why


def one_iteration(call: Any) -> None:
    """Run a call that is due, and nothing that it schedules."""
    function = call.func
    call.cancel()  # which removes the function
    function()


class HandshakeTests(SynchronousTestCase):
    """Limits, turns and time."""

    def setUp(self) -> None:
        """Make a table of ten, with five for each address."""
        self.clock = Clock()
        self.handshakes = Handshakes(self.clock, limit=10, timeout=10)

    def begun(self, host: str = "10.0.0.9") -> Recorded:
        """Add a handshake whose first message is whole."""
        made = Recorded(host)
        self.handshakes.add(made)
        self.handshakes.begin(made)
        return made

    def test_few_in_an_iteration(self) -> None:
        """9,000 clients that connect together do not keep the reactor."""
        handshakes = Handshakes(self.clock, limit=9000, limit_per_address=9000)
        all_of_them = [Recorded() for _ in range(9000)]
        for each in all_of_them:
            handshakes.add(each)
            handshakes.begin(each)
        for done in (1, 2, 3):
            [call] = [c for c in self.clock.getDelayedCalls() if not c.getTime()]
            one_iteration(call)
            steps = sum(each.steps for each in all_of_them)
            self.assertEqual(steps, done * COUNT)

    def test_costly(self) -> None:
        """With costly ones an iteration ends early, and they are still all made."""
        all_of_them = [Recorded(cost=0.004, clock=self.clock) for _ in range(5)]
        for each in all_of_them:
            self.handshakes.add(each)
            self.handshakes.begin(each)
        before = self.clock.seconds()
        [call] = [c for c in self.clock.getDelayedCalls() if not c.getTime()]
        one_iteration(call)
        self.assertLess(self.clock.seconds() - before, 0.015)
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual([each.steps for each in all_of_them], [1] * 5)

    def test_begun_ones_first(self) -> None:
        """Those that are begun are completed before others are begun."""
        first = self.begun()
        self.clock.advance(0)
        order: list[object] = []
        second = self.begun()
        for each in (first, second):
            each.step = lambda each=each: order.append(each)  # type: ignore[misc]
        self.handshakes.received(first)
        self.clock.advance(0)
        self.assertEqual(order, [first, second])

    def test_addresses_take_turns(self) -> None:
        """Many from one address do not keep another one waiting."""
        many = [self.begun("10.0.6.6") for _ in range(100)]
        one = self.begun("10.0.0.1")
        self.clock.advance(0)
        self.assertEqual(one.steps, 1)
        self.assertEqual(sum(each.steps for each in many), 5)
        self.assertEqual((self.handshakes.count, self.handshakes.waiting), (6, 95))

    def test_next_one(self) -> None:
        """One that is complete makes way for the next of its address."""
        first, *others = [self.begun() for _ in range(6)]
        self.clock.advance(0)
        self.assertEqual(others[-1].steps, 0)
        self.handshakes.remove(first, completed=True)
        self.clock.advance(0)
        self.assertEqual(others[-1].steps, 1)
        self.assertEqual((self.handshakes.completed, self.handshakes.failed), (1, 0))

    def test_limit_in_all(self) -> None:
        """Many addresses do not get more than the limit together."""
        all_of_them = [self.begun(f"10.0.1.{n}") for n in range(30)]
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(sum(each.steps for each in all_of_them), 10)

    def test_slow_ones(self) -> None:
        """They give way to those that wait, a second after they were begun."""
        slow = [self.begun() for _ in range(5)]
        self.clock.advance(0)
        waiting = self.begun()
        self.clock.advance(0.9)
        self.assertEqual(waiting.steps, 0)
        self.clock.advance(0.2)
        self.assertEqual(waiting.steps, 1)
        self.assertIn("maxTlsHandshakes", slow[0].refused)
        self.assertEqual([each.refused for each in slow[1:]], [""] * 4)
        self.assertEqual(self.handshakes.displaced, 1)

    def test_nobody_waits(self) -> None:
        """Without others a slow one has its whole time."""
        slow = self.begun()
        self.clock.advance(9)
        self.assertEqual(slow.refused, "")
        self.clock.advance(1)
        self.assertIn("more than 10 s", slow.refused)
        self.assertEqual(self.handshakes.timed_out, 1)

    def test_first_byte_only(self) -> None:
        """The time of one whose first message is not whole is limited, too."""
        made = Recorded()
        self.handshakes.add(made)
        self.clock.advance(10)
        self.assertIn("tlsHandshakeTimeoutMillis", made.refused)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many_time_out(self) -> None:
        """5,000 that stopped together are closed a few in each iteration."""
        all_of_them = [Recorded(f"10.0.{n >> 8}.{n & 255}") for n in range(5000)]
        for each in all_of_them:
            self.handshakes.add(each)
        [call] = self.clock.getDelayedCalls()
        self.clock.rightNow += 10
        one_iteration(call)
        self.assertEqual(sum(bool(each.refused) for each in all_of_them), COUNT)
        self.clock.advance(0)
        self.assertEqual(sum(bool(each.refused) for each in all_of_them), 5000)
        self.assertEqual(self.handshakes.waiting, 0)

    def test_unknown(self) -> None:
        """Removing one twice counts once; one that is gone makes no step."""
        made = self.begun()
        for _ in range(2):
            self.handshakes.remove(made, completed=False)
        self.handshakes.received(made)
        self.clock.advance(0)
        self.assertEqual((made.steps, self.handshakes.failed), (0, 1))

    def test_stop(self) -> None:
        """No timer is left."""
        self.begun()
        self.handshakes.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_stop(self) -> None:
        """What still comes over connections that are being closed sets no timer."""
        first = self.begun()
        self.handshakes.stop()
        self.handshakes.received(first)
        self.begun()
        self.handshakes.remove(first, completed=False)
        self.assertEqual(self.clock.getDelayedCalls(), [])
