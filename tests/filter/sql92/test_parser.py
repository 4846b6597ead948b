"""Tests of rocketmq_tw.filter.sql92.parser: what bounds the work of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.filter.sql92.lexer import MAX_TOKENS
from rocketmq_tw.filter.sql92.nodes import MAX_DEPTH
from rocketmq_tw.filter.sql92.parser import Parser
from rocketmq_tw.model.subscription import IllegalSubscription

_WORDS = (
    "a b AND OR NOT IN BETWEEN IS NULL TRUE FALSE CONTAINS ( ) , = <> < >= + -"
    " 3 3L 2.5 .5 'x' '' 99999999999 -- /* */ ! . ''' 'x"
).split()


def _tokens_read(text: str) -> int:
    """Return how many tokens were read until a text was refused."""
    parser = Parser(text)
    try:
        parser.parse()
    except IllegalSubscription:
        return parser.count
    raise AssertionError("the text is not refused")


class ParserTests(SynchronousTestCase):
    """Every text is compiled or refused, with little work."""

    @given(st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join))
    def test_words(self, text: str) -> None:
        """No sequence of words does anything but compile or be refused."""
        try:
            made = compile_sql(text)
        except IllegalSubscription:
            return
        for properties in ({}, {"a": "3", "b": "x"}):
            self.assertIn(made.matches(properties), (True, False))

    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """The same for any text at all."""
        try:
            compile_sql(text).matches({"a": text})
        except IllegalSubscription:
            return

    def test_nested_bombs(self) -> None:
        """What is nested too deep is refused where it gets too deep."""
        for bomb in ("(", "NOT ", "- ", "+ ", "NOT ("):
            read = _tokens_read(bomb * 60_000)
            self.assertLessEqual(read, 2 * MAX_DEPTH + 4, bomb)
        read = _tokens_read("a" + " IS NULL" * 60_000)
        self.assertLessEqual(read, 3 * MAX_DEPTH + 4)

    def test_long_texts(self) -> None:
        """A text of too many tokens is refused once so many were read."""
        for text in ("a=1 OR " * 9000 + "a=1", "a IN (" + "'x'," * 9000 + "'x')"):
            self.assertEqual(_tokens_read(text), MAX_TOKENS + 1)

    def test_largest(self) -> None:
        """What is allowed is also evaluated: no recursion follows its length."""
        count = MAX_TOKENS // 4
        made = compile_sql(" OR ".join(["a = 1"] * count))
        self.assertFalse(made.matches({"a": "2"}))
        deep = MAX_DEPTH - 3
        made = compile_sql("(" * deep + "a = 1" + ")" * deep)
        self.assertTrue(made.matches({"a": "1"}))

    def test_dashes_without_a_line_end(self) -> None:
        """Dashes begin a comment only if a line ends behind them."""
        self.assertTrue(compile_sql("a = --x\n1").matches({"a": "1"}))
        self.assertTrue(compile_sql("a = 1 --").matches({"a": "1"}))
        self.assertTrue(compile_sql("a = --1").matches({"a": "1"}))
