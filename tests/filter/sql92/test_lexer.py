"""Tokens of SQL92 expressions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.lexer import Lexer, TokenKind


def kinds(text: str) -> list[tuple[str, str]]:
    """Return the kinds and texts of all tokens."""
    lexer, found = Lexer(text), []
    while lexer.current.kind is not TokenKind.END:
        token = lexer.advance()
        found.append((token.kind.name, token.text))
    return found


class LexerTests(SynchronousTestCase):
    """How a text is split."""

    def test_numbers(self) -> None:
        """A leading zero is a number of its own; a suffix belongs to a decimal."""
        self.assertEqual(
            kinds("007 12L 5. .5 5E-3 0x3"),
            [
                *(("DECIMAL", each) for each in ("0", "0", "7", "12L")),
                *(("FLOAT", each) for each in ("5.", ".5", "5E-3")),
                *(("DECIMAL", "0"), ("NAME", "x3")),
            ],
        )

    def test_words(self) -> None:
        """Keywords have any case, names their own."""
        self.assertEqual(
            kinds("nOt $a_1 startswith"),
            [("KEYWORD", "NOT"), ("NAME", "$a_1"), ("KEYWORD", "STARTSWITH")],
        )

    def test_peek(self) -> None:
        """The token behind the current one is read once."""
        lexer = Lexer("a <> 'b'")
        self.assertEqual(lexer.peek().text, "<>")
        self.assertEqual(lexer.peek().text, "<>")
        self.assertEqual([lexer.advance().text for _ in range(3)], ["a", "<>", "b"])
        self.assertEqual(lexer.count, 3)
