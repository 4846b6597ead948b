"""Tests of sharing the reactor's iterations among requests."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Exclusive
from rocketmq_tw.remoting.errors import TooManyWaiting
from rocketmq_tw.remoting.pacing import (
    STEPS,
    TIME,
    Pacer,
    Steps,
    all_at_once,
    encode_each,
    responding,
    result_of,
)
from tests.broker.cases import Peer


class PacerTests(SynchronousTestCase):
    """Requests of some connections, on a clock that stands still."""

    def setUp(self) -> None:
        """Note what is done."""
        self.clock = Clock()
        self.pacer = Pacer(self.clock)
        self.peer, self.other = Peer(), Peer()
        self.done: list[Any] = []

    def steps(self, name: str, count: int) -> Steps[str]:
        """Take so many steps, and return the name."""
        for number in range(count):
            self.done.append((name, number))
            if number + 1 < count:
                yield None
        return name

    def iterate(self) -> None:
        """Run what is scheduled for the next iteration of the reactor, and no more."""
        (call,) = self.clock.getDelayedCalls()
        function = call.func
        call.cancel()
        function()

    def test_time_of_an_iteration(self) -> None:
        """Where steps take long, fewer of them are taken."""

        def slow() -> Steps[None]:
            for number in range(5):
                self.done.append(number)
                self.clock.rightNow += TIME / 2
                yield None

        self.pacer.run(slow(), self.peer)
        self.assertEqual(self.done, [0, 1])
        self.iterate()
        self.assertEqual(self.done, [0, 1, 2, 3])

    def test_nothing_is_read_behind_it(self) -> None:
        """What waits is exclusive for its connection."""
        result = self.pacer.run(self.steps("a", STEPS + 1), self.peer)
        self.assertIsInstance(result, Exclusive)

    def test_short_work_is_done_at_once(self) -> None:
        """The result is no Deferred."""
        self.assertEqual(self.pacer.run(self.steps("a", 2), self.peer), "a")

    def test_long_work(self) -> None:
        """Each iteration takes some steps."""
        result = self.pacer.run(self.steps("a", 2 * STEPS + 1), self.peer)
        self.assertEqual(len(self.done), STEPS)
        self.iterate()
        self.assertEqual(len(self.done), 2 * STEPS)
        assert isinstance(result, Deferred)
        self.assertNoResult(result)
        self.iterate()
        self.assertEqual(self.successResultOf(result), "a")

    def test_connections_alternate(self) -> None:
        """Work of one does not wait for all work of another."""
        for name in ("a", "b"):
            self.pacer.run(self.steps(name, 3 * STEPS), self.peer)
        self.done.clear()
        self.pacer.run(self.steps("c", STEPS), self.other)
        self.iterate()
        of_other = [step for step in self.done if step[0] == "c"]
        self.assertEqual((len(self.done), len(of_other)), (STEPS, STEPS // 2))

    def test_a_peer_that_does_not_read(self) -> None:
        """Nothing more is made for it until it reads; others are not delayed."""
        self.pacer.run(self.steps("a", STEPS + 2), self.peer)
        self.pacer.run(self.steps("other", 1), self.other)
        self.peer.is_write_blocked = True
        self.done.clear()
        self.iterate()
        self.assertEqual(self.done, [("other", 0)])
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.peer.drain()
        self.clock.advance(0)
        self.assertEqual(self.done[1:], [("a", STEPS), ("a", STEPS + 1)])

    def test_a_peer_that_is_gone(self) -> None:
        """Its requests are dropped, in slices too, and count no longer."""
        result = self.pacer.run(self.steps("a", 3 * STEPS), self.peer)
        self.peer.is_connected = False
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.assertIsNone(self.successResultOf(result))
        self.assertEqual((len(self.done), len(self.pacer)), (STEPS, 0))

    def test_waiting_for_the_disk(self) -> None:
        """Other work goes on; the steps are sent what they waited for."""
        disk: Deferred[int] = Deferred()

        def steps() -> Steps[int]:
            found: int = yield disk
            return found + 1

        result = self.pacer.run(steps(), self.peer)
        self.assertEqual(self.pacer.run(self.steps("a", 1), self.peer), "a")
        disk.callback(6)
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.assertEqual(self.successResultOf(result), 7)

    def test_failures(self) -> None:
        """What steps wait for may fail, and so may steps."""
        disk: Deferred[int] = Deferred()

        def steps() -> Steps[int]:
            for _ in range(2 * STEPS):
                yield None
            found: int = yield disk
            return found

        result = self.pacer.run(steps(), self.peer)
        self.clock.advance(0)
        disk.errback(OSError("gone"))
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.failureResultOf(result, OSError)

    def test_bytes_that_wait(self) -> None:
        """A request counts with its bytes until it is done, or its peer is gone."""
        self.pacer = Pacer(self.clock, max_size=100)
        waiting = [
            self.pacer.run(self.steps("a", 2 * STEPS), self.peer, size)
            for size in (150, 0)
        ]
        self.assertEqual(self.pacer.size, 150)
        steps = self.steps("b", 1)
        self.assertRaises(TooManyWaiting, self.pacer.run, steps, self.other, 1)
        self.assertRaises(StopIteration, next, steps)
        self.assertEqual(self.pacer.refused, 1)
        self.clock.pump([0.0] * 5)
        self.assertEqual([self.successResultOf(each) for each in waiting], ["a", "a"])
        self.assertEqual(self.pacer.size, 0)
        self.pacer.run(self.steps("a", 2 * STEPS), self.peer, 60)
        self.peer.is_connected = False
        self.clock.advance(0)
        self.assertEqual(self.pacer.size, 0)

    def test_bytes_that_do_not_wait(self) -> None:
        """A request that is done at once is never refused."""
        self.pacer = Pacer(self.clock, max_size=100)
        self.pacer.size = 100
        self.assertEqual(self.pacer.run(self.steps("a", 1), self.peer, 50), "a")

    def test_stop(self) -> None:
        """Nothing is scheduled any more."""
        self.pacer.run(self.steps("a", 3 * STEPS), self.peer)
        self.pacer.stop()
        self.assertEqual((len(self.pacer), self.clock.getDelayedCalls()), (0, []))
        Pacer(self.clock).stop()

    def test_stopped_by_what_is_done(self) -> None:
        """A result may end all of it; what else has that key is dropped."""
        for count in (1, 2):
            self.setUp()
            first = self.pacer.run(self.steps("a", STEPS + 1), None, key="k")
            assert isinstance(first, Deferred)
            for _ in range(count - 1):
                self.pacer.run(self.steps("b", 5), None, key="k")
            first.addCallback(lambda _: self.pacer.stop())
            self.clock.advance(0)
            self.successResultOf(first)
            self.assertEqual((len(self.pacer), self.clock.getDelayedCalls()), (0, []))

    def test_keys_take_turns(self) -> None:
        """Work that no peer waits for is done whoever is there."""
        results = [
            self.pacer.run(self.steps(name, 3 * STEPS), None, key=name)
            for name in ("a", "b")
        ]
        self.done.clear()
        self.iterate()
        half = [step for step in self.done if step[0] == "b"]
        self.assertEqual((len(self.done), len(half)), (STEPS, STEPS // 2))
        self.clock.pump([0.0] * 6)
        for name, result in zip("ab", results, strict=True):
            assert isinstance(result, Deferred)
            self.assertEqual(self.successResultOf(result), name)

    def test_one_key_in_order(self) -> None:
        """What has the key of work that waits is not begun before it, however short."""
        first = self.pacer.run(self.steps("a", STEPS + 1), self.peer, key="k")
        self.clock.rightNow += TIME
        second = self.pacer.run(self.steps("b", 1), self.other, key="k")
        assert isinstance(first, Deferred) and isinstance(second, Deferred)
        self.assertTrue(self.pacer.is_waiting("k"))
        self.assertFalse(self.pacer.is_waiting(self.peer))
        self.clock.advance(0)
        self.assertEqual(self.done[-2:], [("a", STEPS), ("b", 0)])
        self.assertEqual(self.successResultOf(second), "b")
        self.assertFalse(self.pacer.is_waiting("k"))

    def test_failures_of_one_key(self) -> None:
        """A first step raises, a later one fails its result, and the next goes on."""

        def broken(count: int) -> Steps[str]:
            yield from self.steps("x", count)
            raise ValueError

        run = self.pacer.run
        self.assertRaises(ValueError, run, broken(0), None, key="k")
        result = run(broken(STEPS + 1), None, key="k")
        other = run(self.steps("a", 1), None, key="k")
        self.clock.pump([0.0] * 2)
        assert isinstance(result, Deferred) and isinstance(other, Deferred)
        self.failureResultOf(result, ValueError)
        self.assertEqual(self.successResultOf(other), "a")

    def test_result_of(self) -> None:
        """A value is there at once; a Deferred is waited for, and its failure comes."""
        waiting: Deferred[int] = Deferred()
        self.assertEqual(all_at_once(result_of(1)), 1)
        found = self.pacer.run(result_of(waiting), self.peer)
        assert isinstance(found, Deferred)
        self.clock.advance(1)
        self.assertNoResult(found)
        waiting.callback(2)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(found), 2)
        failing: Deferred[int] = Deferred()
        failed = self.pacer.run(result_of(failing), self.peer)
        assert isinstance(failed, Deferred)
        failing.errback(KeyError("why"))
        self.clock.advance(1)
        self.failureResultOf(failed, KeyError)

    def test_all_at_once(self) -> None:
        """Without a pacer the steps are taken one after the other."""
        self.assertEqual(all_at_once(self.steps("a", 3)), "a")
        self.assertEqual(len(self.done), 3)

    def test_encode_each(self) -> None:
        """So many at each step, joined by commas."""
        steps = responding(encode_each("abcde", str.encode, 2))
        self.assertIsNone(next(steps))
        self.assertIsNone(next(steps))
        end = self.assertRaises(StopIteration, next, steps)
        self.assertEqual(end.value.body, b"a,b,c,d,e")
        end = self.assertRaises(StopIteration, next, encode_each("", str.encode, 2))
        self.assertEqual(end.value, b"")
