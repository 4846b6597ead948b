"""Numbers by the rules of Java."""

from __future__ import annotations

import math

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.numbers import (
    LONGEST_NUMBER,
    Long,
    NotANumber,
    decimal_constant,
    double,
    double_text,
    float_constant,
    integer,
    long,
    order,
)


class ReadTests(SynchronousTestCase):
    """Texts that are numbers, and those that are none."""

    def test_integers(self) -> None:
        """Signs and any digits; no blanks, no more than 32 or 64 bits."""
        self.assertEqual([integer(t) for t in ("+3", "-3", "٣", "007")], [3, -3, 3, 7])
        self.assertEqual(long("-9223372036854775808"), -(1 << 63))
        for text in ("", " 3", "3.0", "2147483648", "1_0", "0x1", "𝟛", "9" * 2000):
            self.assertRaises(NotANumber, integer, text)
        self.assertRaises(NotANumber, long, "9223372036854775808")

    def test_doubles(self) -> None:
        """Blanks around, exponents, suffixes, hexadecimal, NaN and Infinity."""
        for text, value in (
            (" 3.5d ", 3.5),
            ("1e3", 1000.0),
            (".5f", 0.5),
            ("0x1.8p1", 3.0),
            ("-Infinity", -math.inf),
            ("0x1p9999", math.inf),
        ):
            self.assertEqual(double(text), value)
        self.assertTrue(math.isnan(double("NaN")))
        for text in ("", "inf", "nan", "1_0", "3dd", "0x1", "1" * (LONGEST_NUMBER + 1)):
            self.assertRaises(NotANumber, double, text)

    def test_constants(self) -> None:
        """A decimal has 32 bits if it fits; 0.0 cannot be written."""
        self.assertNotIsInstance(decimal_constant("3L"), Long)
        self.assertIsInstance(decimal_constant("2147483648"), Long)
        self.assertRaises(NotANumber, decimal_constant, "9" * 19)
        for text in ("0.0", "0e5", "1e400", "1e-400"):
            self.assertRaises(NotANumber, float_constant, text)

    def test_order(self) -> None:
        """NaN is above all, and -0.0 below 0.0."""
        numbers = [-math.inf, -1.0, -0.0, 0.0, 1.0, math.inf, math.nan]
        for at, left in enumerate(numbers):
            for other, right in enumerate(numbers):
                found = order(left, right)
                self.assertEqual((found > 0) - (found < 0), (at > other) - (at < other))

    def test_texts(self) -> None:
        """Doubles are written as Java writes them."""
        for value, text in (
            (3.5, "3.5"),
            (1e10, "1.0E10"),
            (1.5e-5, "1.5E-5"),
            (-12345678.5, "-1.23456785E7"),
            (math.inf, "Infinity"),
        ):
            self.assertEqual(double_text(value), text)
