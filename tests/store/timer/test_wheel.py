"""Slots of times."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.timer.layout import Slot
from tests.store.timer.cases import NOW_MS, SLOTS, empty_wheel


class WheelTests(SynchronousTestCase):
    """A wheel of 64 slots."""

    def test_put(self) -> None:
        """A slot is found at any time within its step, and at no other."""
        wheel, slot = empty_wheel(), Slot(52, 104, -1)
        wheel.put(NOW_MS, slot)
        self.assertEqual(wheel.get(NOW_MS), slot)
        self.assertEqual(wheel.get(NOW_MS + 999), slot)
        self.assertIsNone(wheel.get(NOW_MS + 1000))

    def test_wrap(self) -> None:
        """When its index comes round again, an old slot counts as empty."""
        wheel = empty_wheel()
        wheel.put(NOW_MS, Slot(0, 0, 1))
        later = NOW_MS + SLOTS * 1000
        self.assertIsNone(wheel.get(later))
        wheel.put(later, Slot(52, 52, 1))
        self.assertIsNone(wheel.get(NOW_MS))

    def test_clear(self) -> None:
        """Only the slot of that very time is emptied."""
        wheel = empty_wheel()
        wheel.put(NOW_MS, Slot(0, 0, 1))
        wheel.clear(NOW_MS + SLOTS * 1000)
        self.assertIsNotNone(wheel.get(NOW_MS))
        wheel.clear(NOW_MS)
        self.assertIsNone(wheel.get(NOW_MS))

    def test_used(self) -> None:
        """Those in use are listed with their times, old ones too."""
        wheel = empty_wheel(precision_ms=100)
        wheel.put(6_400_000, Slot(0, 0, 1))
        wheel.put(6_400_300, Slot(52, 52, 2))
        found = list(wheel.used(0, SLOTS))
        self.assertEqual(
            found, [(6_400_000, Slot(0, 0, 1)), (6_400_300, Slot(52, 52, 2))]
        )
        self.assertEqual(list(wheel.used(1, 3)), [])

    def test_count(self) -> None:
        """Messages are counted of the slots of those very times, also round the end."""
        wheel = empty_wheel()
        start = NOW_MS // 64_000 * 64_000 + 60_000
        for ahead in (0, 3000, 7000):
            wheel.put(start + ahead, Slot(0, 0, 5))
        wheel.put(start + 5000 - SLOTS * 1000, Slot(0, 0, 9))
        self.assertEqual(wheel.count(start, 7), 10)
        self.assertEqual(wheel.count(start + 1000, 7), 10)
        self.assertEqual(wheel.count(start + 1000, 6), 5)
