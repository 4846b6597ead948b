"""Whole expressions: what they match, and what they may cost."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.filter.sql92.lexer import MAX_TOKENS
from rocketmq_tw.filter.sql92.nodes import MAX_DEPTH
from rocketmq_tw.model.subscription import IllegalSubscription
from tests.filter.sql92.cases import MESSAGE, expected, outcome

_WORDS = (
    "a b c t 3 3.5 'x' '3' TRUE FALSE NULL NOT AND OR IS IN BETWEEN ( ) , = <> < >="
    " - + CONTAINS STARTSWITH ENDSWITH 9999999999 -- /* */ \n"
).split(" ")


class TableTests(SynchronousTestCase):
    """The table of expressions."""

    def test_table(self) -> None:
        """Each is met, not met, or wrong, as at Apache's broker."""
        for letter, text in expected():
            self.assertEqual((outcome(text), text), (letter, text))

    def test_lines(self) -> None:
        """A comment ends with its line, and a text may have several."""
        self.assertEqual(outcome("-- c\na = 3"), "M")
        self.assertEqual(outcome("   "), "E")
        self.assertEqual(outcome("c = 'he\nllo'", {"c": "he\nllo"}), "M")
        self.assertEqual(outcome("c = 'it''s'", {"c": "it's"}), "M")

    def test_what_is_wrong(self) -> None:
        """The error says what and where."""
        for text, said in (
            ("a = ", "a name, a text or a number is expected at character 5"),
            ("a ! 3", "'!' cannot be used at character 3"),
            ("a > 'x'", "the text 'x' cannot be ordered"),
            ("a = 0.0", "write 0 for zero"),
            ("a BETWEEN 5 AND 1", "BETWEEN 5 AND 1 contains nothing"),
            ("3 IN ('3')", "only a name may be before IN"),
        ):
            error = self.assertRaises(IllegalSubscription, compile_sql, text)
            self.assertIn(said, str(error))


class BoundTests(SynchronousTestCase):
    """An expression has a limited size, depth and cost."""

    def test_size(self) -> None:
        """One that is too long is refused, before its rest is looked at."""
        text = "a = 3" + " OR a = 3" * (MAX_TOKENS // 4)
        error = self.assertRaises(IllegalSubscription, compile_sql, text + " OR" * 9)
        self.assertIn("too long", str(error))
        fits = "a = 3" + " OR a = 3" * (MAX_TOKENS // 4 - 1)
        compiled = compile_sql(fits)
        self.assertTrue(compiled.matches(MESSAGE))
        self.assertEqual(compiled.cost, MAX_TOKENS - 1)

    def test_depth(self) -> None:
        """Neither parentheses, NOTs, signs nor chains nest without a limit."""
        for before, after in (
            ("(", ")"),
            ("NOT ", ""),
            ("- ", ""),
            ("NOT (", ")"),
            ("a = (", ")"),
        ):
            deep = before * (MAX_DEPTH + 1) + "a" + after * (MAX_DEPTH + 1)
            self.assertRaises(IllegalSubscription, compile_sql, deep)
            bomb = before * 100_000
            self.assertRaises(IllegalSubscription, compile_sql, bomb)
        self.assertRaises(IllegalSubscription, compile_sql, "a" + " = a" * 1000)
        self.assertRaises(IllegalSubscription, compile_sql, "/*" * 100_000)
        self.assertRaises(IllegalSubscription, compile_sql, "'" * 100_001)

    @settings(max_examples=300, deadline=None)
    @given(words=st.lists(st.sampled_from(_WORDS), max_size=40))
    def test_any_words(self, words: list[str]) -> None:
        """Any words are an expression, or an error of ours; a match is repeatable."""
        text = " ".join(words)
        self.assertEqual(outcome(text), outcome(text))

    @settings(max_examples=200, deadline=None)
    @given(text=st.text(max_size=200) | st.text(string.printable, max_size=200))
    def test_any_text(self, text: str) -> None:
        """So is any text."""
        self.assertIn(outcome(text), "M-E")
