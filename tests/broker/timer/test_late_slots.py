"""Tests of where messages wait that are due when they are linked."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.late_slots import LateSlots
from rocketmq_tw.store.timer.layout import PLAIN
from rocketmq_tw.store.timer.placement import Placement


class Wheel:
    """How far a wheel was emptied."""

    placement = Placement(1000)
    read_ms = 50_000


class LateSlotsTests(SynchronousTestCase):
    """It is 90 s; slots before 50 s are empty."""

    def setUp(self) -> None:
        """Begin with a wheel."""
        self.wheel = Wheel()
        self.late = LateSlots()
        self.assertEqual(self.late.read_ms(), 0)
        self.late.begin(self.wheel)  # type: ignore[arg-type]

    def slot_of(self, out_ms: int) -> int:
        """Return the slot of a message."""
        slot_ms, flags = self.late.choose(out_ms, 90_000)
        self.assertEqual(flags, PLAIN)
        return slot_ms

    def test_not_due(self) -> None:
        """It waits as anywhere."""
        self.assertEqual(self.slot_of(95_500), 95_000)

    def test_own_slot(self) -> None:
        """What is due waits in its own slot, if that is to be emptied yet."""
        self.assertEqual(self.slot_of(60_300), 60_000)
        self.assertEqual(self.late.read_ms(), 50_000)

    def test_behind(self) -> None:
        """What is later than that waits in the next slot: it is not sent before."""
        self.assertEqual(self.slot_of(50_000), 51_000)
        self.assertEqual(self.slot_of(20_000), 51_000)
        read = []
        for self.wheel.read_ms in (50_000, 51_000, 52_000):
            read.append(self.late.read_ms())
        self.assertEqual(read, [20_000, 20_000, 52_000])
        self.assertEqual(self.slot_of(51_000), 53_000)
        self.assertEqual(self.late.read_ms(), 51_000)
