"""Precedence, and where an expression ends."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.filter.sql92.cases import outcome


class ParserTests(SynchronousTestCase):
    """How parts of an expression belong together."""

    def test_precedence(self) -> None:
        """AND before OR, comparisons before equality, NOT before all."""
        for text, letter in (
            ("TRUE OR FALSE AND FALSE", "M"),
            ("(TRUE OR FALSE) AND FALSE", "-"),
            ("a > 1 = TRUE", "M"),
            ("TRUE = a > 1", "M"),
            ("NOT a > 1", "E"),
            ("+a = 3", "M"),
            ("a NOT IN ('4') AND a IN ('3')", "M"),
        ):
            self.assertEqual((outcome(text), text), (letter, text))

    def test_rest(self) -> None:
        """What follows a whole expression may be anything but a broken next token."""
        self.assertEqual(outcome("a = 3 x y z !"), "M")
        self.assertEqual(outcome("a = 3 !"), "E")
