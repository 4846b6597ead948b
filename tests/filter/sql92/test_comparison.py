"""Tests of rocketmq_tw.filter.sql92.comparison."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.comparison import CannotCompare, compare, equals
from rocketmq_tw.filter.sql92.numbers import Long, NotANumber


class EqualsTests(SynchronousTestCase):
    """Values of different types are compared after one was converted."""

    def test_null(self) -> None:
        """NULL on the left gives NULL; on the right FALSE; on both sides TRUE."""
        self.assertIsNone(equals(None, "x"))
        self.assertIs(equals("x", None), False)
        self.assertIs(equals(None, None), True)

    def test_texts_become_numbers(self) -> None:
        """A text is read as the type of the number, on either side."""
        self.assertTrue(equals("3", 3))
        self.assertTrue(equals(3.0, "3"))
        self.assertTrue(equals("3000000000", Long(3_000_000_000)))
        self.assertRaises(NotANumber, equals, "3000000000", 3)

    def test_booleans(self) -> None:
        """A text is TRUE in any case; on the right of a boolean it cannot be."""
        self.assertTrue(equals("TruE", True))
        self.assertFalse(equals(True, 1))
        self.assertRaises(CannotCompare, equals, True, "true")


class CompareTests(SynchronousTestCase):
    """Numbers and texts have an order."""

    def test_order(self) -> None:
        """Two texts are compared as numbers with a fraction."""
        self.assertEqual(compare("10", "9.5"), 1)
        self.assertEqual(compare(3, Long(4)), -1)
        self.assertEqual(compare(3, 3.0), 0)
        self.assertIsNone(compare(None, 3))
        self.assertRaises(NotANumber, compare, "x", "y")
