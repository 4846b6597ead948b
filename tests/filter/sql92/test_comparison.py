"""How values of different types compare."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.comparison import CannotCompare, compare, equals
from rocketmq_tw.filter.sql92.numbers import Long, NotANumber


class CompareTests(SynchronousTestCase):
    """Equality and order."""

    def test_null(self) -> None:
        """NULL equals NULL; with a value only the side counts."""
        self.assertIs(equals(None, None), True)
        self.assertIsNone(equals(None, "x"))
        self.assertIs(equals("x", None), False)
        self.assertIsNone(compare(None, 1))

    def test_texts(self) -> None:
        """A text is read as the type of the other side."""
        self.assertTrue(equals("3", 3))
        self.assertTrue(equals("3000000000", Long(3_000_000_000)))
        self.assertRaises(NotANumber, equals, "3000000000", 3)
        self.assertRaises(NotANumber, equals, " 3", 3)
        self.assertTrue(equals(" 3", 3.0))
        self.assertTrue(equals("TRUE", True))
        self.assertRaises(CannotCompare, equals, True, "true")

    def test_order(self) -> None:
        """Numbers are widened; two texts are read as doubles."""
        self.assertEqual(compare(1, 1.5), -1)
        self.assertEqual(compare("10", "9"), 1)
        self.assertEqual(compare("1e1", 9.5), 1)
        self.assertRaises(NotANumber, compare, "x", "y")
        self.assertRaises(CannotCompare, compare, True, 1)
