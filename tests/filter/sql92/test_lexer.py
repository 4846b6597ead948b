"""Tests of rocketmq_tw.filter.sql92.lexer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.lexer import Lexer, TokenKind


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return the kinds and texts of all tokens."""
    lexer, found = Lexer(text), []
    while lexer.current.kind is not TokenKind.END:
        token = lexer.advance()
        found.append((token.kind.name, token.text))
    return found


class LexerTests(SynchronousTestCase):
    """A text is split as Apache RocketMQ splits it."""

    def test_numbers(self) -> None:
        """A zero ends a number; a point or an exponent makes a float."""
        self.assertEqual(
            _tokens("007 12l 5. .5e-3 5E10 0x3"),
            [
                ("DECIMAL", "0"),
                ("DECIMAL", "0"),
                ("DECIMAL", "7"),
                ("DECIMAL", "12l"),
                ("FLOAT", "5."),
                ("FLOAT", ".5e-3"),
                ("FLOAT", "5E10"),
                ("DECIMAL", "0"),
                ("NAME", "x3"),
            ],
        )

    def test_words(self) -> None:
        """Keywords have any case and become capitals; names keep theirs."""
        self.assertEqual(
            _tokens("is Nul $_A"),
            [("KEYWORD", "IS"), ("NAME", "Nul"), ("NAME", "$_A")],
        )

    def test_texts(self) -> None:
        """Two quotes stand for one; a text without an end stops at a pair of them."""
        self.assertEqual(_tokens("'it''s'"), [("TEXT", "it's")])
        self.assertEqual(Lexer("'a''b").current.text, "a")

    def test_comments(self) -> None:
        """Comments are blanks."""
        self.assertEqual(_tokens("a/* **/--x\rb"), [("NAME", "a"), ("NAME", "b")])
