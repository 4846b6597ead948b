"""Tests of work that is done in steps."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.slices import Slices, TooMuchWork


class SlicesTests(SynchronousTestCase):
    """Work of several peers."""

    def setUp(self) -> None:
        """Start with nothing to do."""
        self.clock = Clock()
        self.slices = Slices(self.clock, max_waiting=100)
        self.did: list[str] = []

    def work(self, name: str, steps: int) -> Iterator[None]:
        """Make work of so many steps, each of which is noted."""
        for number in range(steps):
            self.did.append(f"{name}{number}")
            if number + 1 < steps:
                yield

    def test_small(self) -> None:
        """Work of one step is done at once."""
        self.assertIsNone(self.slices.run("a", self.work("a", 1)))
        self.assertEqual(self.did, ["a0"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_turns(self) -> None:
        """An iteration does one step, whoever asked for the work."""
        first = self.slices.run("a", self.work("a", 3))
        second = self.slices.run("b", self.work("b", 3))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(0)
        self.assertEqual(self.did, ["a0", "b0", "a1", "b1", "a2", "b2"])
        assert first is not None and second is not None
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_order(self) -> None:
        """Work with one key is done in order, small work too."""
        self.slices.run("a", self.work("a", 2))
        second = self.slices.run("a", self.work("b", 1))
        assert second is not None
        self.assertTrue(self.slices.is_busy("a"))
        self.assertNoResult(second)
        self.clock.pump([0] * 2)
        self.successResultOf(second)
        self.assertEqual(self.did, ["a0", "a1", "b0"])
        self.assertFalse(self.slices.is_busy("a"))

    def test_failure(self) -> None:
        """The first step raises, later ones fail the result; other work goes on."""

        def broken(at: int) -> Iterator[None]:
            yield from self.work("x", at + 1)
            raise ValueError

        self.assertRaises(ValueError, self.slices.run, "a", broken(0))
        done = self.slices.run("a", broken(1))
        other = self.slices.run("a", self.work("a", 1))
        self.clock.pump([0] * 2)
        assert done is not None and other is not None
        self.failureResultOf(done, ValueError)
        self.successResultOf(other)

    def test_limit(self) -> None:
        """What waits is limited; what is done makes space for more."""
        self.slices.run("a", self.work("a", 2), 60)
        self.assertEqual(self.slices.waiting, 60)
        for key in ("a", "b"):
            work = self.work("b", 2)
            self.assertRaises(TooMuchWork, self.slices.run, key, work, 60)
        self.clock.advance(0)
        self.assertEqual(self.slices.waiting, 0)
        self.slices.run("a", self.work("a", 2), 60)
