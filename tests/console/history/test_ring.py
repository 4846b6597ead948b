"""Samples that are kept, and those that are not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.history.ring import Line, Ring, Rings


class RingTests(SynchronousTestCase):
    """The samples of one line."""

    def test_order(self) -> None:
        """They come in the order of their times, also after the ring is full."""
        ring = Ring(3)
        self.assertEqual((ring.line("a"), ring.last), (Line("a", (), ()), None))
        for number in range(1, 6):
            ring.add(number * 10, number / 2)
            first = max(1, number - 2)
            times = tuple(each * 10 for each in range(first, number + 1))
            self.assertEqual(ring.line("a").times, times)
            self.assertEqual(ring.last, number / 2)
        self.assertEqual(ring.line("a", 40), Line("a", (40, 50), (2.0, 2.5)))


class RingsTests(SynchronousTestCase):
    """Lines by name."""

    def test_most(self) -> None:
        """One too many takes the place of the one that was used least lately."""
        rings = Rings(2, 4)
        rings.add("a", 1, 1.0)
        rings.add("b", 1, 2.0)
        rings.add("a", 2, 3.0)
        rings.add("c", 2, 0.0)
        self.assertEqual([line.name for line in rings.lines()], ["a", "c"])
        self.assertIsNone(rings.last("b"))
        self.assertEqual(rings.line("b"), Line("b", (), ()))

    def test_top(self) -> None:
        """The largest ones come first, and of equal ones the first by name."""
        rings = Rings(9, 4)
        for name, value in (("c", 1.0), ("a", 1.0), ("b", 9.0)):
            rings.add(name, 1, value)
        self.assertEqual(list(rings.top(2)), ["b", "a"])
