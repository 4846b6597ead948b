"""Tests of rocketmq_tw.filter.sql92.numbers."""

from __future__ import annotations

import math

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.numbers import (
    LONGEST_NUMBER,
    Long,
    NotANumber,
    decimal_constant,
    double,
    float_constant,
    integer,
    long,
    order,
)


class ReadTests(SynchronousTestCase):
    """Texts become numbers as in Java."""

    def test_integers(self) -> None:
        """Signs and digits of any script; no blanks, and nothing out of range."""
        self.assertEqual(integer("+0012"), 12)
        self.assertEqual(integer("\u0663"), 3)
        self.assertEqual(integer("-2147483648"), -(2**31))
        self.assertEqual(long("9223372036854775807"), 2**63 - 1)
        for text in ("", " 3", "3 ", "1_0", "2147483648", "3L", "\U0001d7d8"):
            self.assertRaises(NotANumber, integer, text)
        self.assertRaises(NotANumber, long, "9223372036854775808")

    def test_doubles(self) -> None:
        """Blanks around, suffixes, and hexadecimal digits are read."""
        self.assertEqual(double(" 1e3\n"), 1000.0)
        self.assertEqual(double("3d"), 3.0)
        self.assertEqual(double("0x1p3F"), 8.0)
        self.assertEqual(double("-Infinity"), -math.inf)
        self.assertEqual(double("-0x1p9999"), -math.inf)
        self.assertTrue(math.isnan(double("NaN")))
        for text in ("", "inf", "nan", "1_0", "0x1", "1e", ".", "e1", "3.5x"):
            self.assertRaises(NotANumber, double, text)

    def test_long_texts(self) -> None:
        """A very long text is not read."""
        for read in (integer, long, double):
            self.assertRaises(NotANumber, read, "0" * (LONGEST_NUMBER + 1))


class ConstantTests(SynchronousTestCase):
    """What an expression may write."""

    def test_decimals(self) -> None:
        """A constant has 32 bits if it fits, with or without an L."""
        self.assertNotIsInstance(decimal_constant("3L"), Long)
        self.assertIsInstance(decimal_constant("2147483648"), Long)
        self.assertRaises(NotANumber, decimal_constant, "9223372036854775808")

    def test_floats(self) -> None:
        """Zero cannot be written with a point, nor what is no double."""
        self.assertEqual(float_constant("5."), 5.0)
        for text in ("0.0", ".0", "0e5", "1e400"):
            self.assertRaises(NotANumber, float_constant, text)


class OrderTests(SynchronousTestCase):
    """Numbers have a total order."""

    def test_order(self) -> None:
        """Minus zero is below zero, and NaN is above all and equal to itself."""
        numbers = [-math.inf, -1.0, -0.0, 0.0, 1.0, math.inf, math.nan]
        for i, left in enumerate(numbers):
            for j, right in enumerate(numbers):
                found = order(left, right)
                self.assertEqual((found > 0) - (found < 0), (i > j) - (i < j))
