"""
Splits an SQL92 expression into tokens, one at a time.

The parser reads one token further than the expression that it has, and nothing behind
it, so the rest of the text may contain anything, as with Apache RocketMQ. The time is
linear in the length of the text: a pattern starts at each token, and none goes back.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from rocketmq_tw.model.subscription import IllegalSubscription

#: Tokens of one expression; 2048 take some 10 ms to parse and compile.
MAX_TOKENS = 2048


class TokenKind(Enum):
    """What a token is."""

    KEYWORD = auto()
    OPERATOR = auto()
    NAME = auto()
    TEXT = auto()
    DECIMAL = auto()
    FLOAT = auto()
    END = auto()


class Token(NamedTuple):
    """
    One token.

    :ivar text: keywords are in capitals; texts have no quotes around them.
    :ivar position: where it begins, in characters.
    """

    kind: TokenKind
    text: str
    position: int


_KEYWORDS = frozenset(
    "NOT AND OR BETWEEN IN TRUE FALSE NULL IS CONTAINS STARTSWITH ENDSWITH".split()
)
_SKIPPED = re.compile(r"(?:[ \t\n\r\f]+|--[^\n\r]*[\n\r]|/\*(?s:.*?)\*/)")
#: The same where no line ends any more: two dashes begin no comment there.
_SKIPPED_LAST = re.compile(r"(?:[ \t\n\r\f]+|/\*(?s:.*?)\*/)")
# Longest first: a decimal followed by a dot or an exponent is a float.
_TOKEN = re.compile(
    r"""
    (?P<FLOAT> [0-9]+ \. [0-9]* (?: [eE][+-]?[0-9]+ )?
             | \. [0-9]+ (?: [eE][+-]?[0-9]+ )?
             | [0-9]+ [eE][+-]?[0-9]+ )
  | (?P<DECIMAL> 0 | [1-9][0-9]*[lL]? )
  | (?P<NAME> [A-Za-z_$][A-Za-z0-9_$]* )
  | (?P<TEXT> ' [^']* (?: '' [^']* )* ' )
  | (?P<OPERATOR> <> | >= | <= | [=><(),+-] )
    """,
    re.VERBOSE,
)


class Lexer:
    """
    The tokens of one text.

    :ivar current: the token that the parser looks at.
    :ivar count: how many tokens were read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._last_line = max(text.rfind("\n"), text.rfind("\r"))
        self.count = 0
        self.current = self._read()

    def advance(self) -> Token:
        """Return the current token and go on to the next."""
        token = self.current
        self.current = self._read()
        return token

    def wrong(self, why: str, position: int | None = None) -> IllegalSubscription:
        """Return the error for the current token, or for another position."""
        at = self.current.position if position is None else position
        return IllegalSubscription(self._text, f"{why} at character {at + 1}")

    def _skipped(self, position: int) -> re.Match[str] | None:
        """Find blanks or a comment at a position."""
        last = position > self._last_line
        return (_SKIPPED_LAST if last else _SKIPPED).match(self._text, position)

    def _read(self) -> Token:
        """Read one token."""
        text, position = self._text, self._position
        while skipped := self._skipped(position):
            position = skipped.end()
        if position >= len(text):
            self._position = position
            return Token(TokenKind.END, "", position)
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise self.wrong(f"{text[position]!r} cannot be used", position)
        self.count += 1
        if self.count > MAX_TOKENS:
            why = f"more than {MAX_TOKENS} words, numbers and signs; it is too long"
            raise self.wrong(why, position)
        self._position = found.end()
        return _token(TokenKind[found.lastgroup], found.group(), position)


def _token(kind: TokenKind, text: str, position: int) -> Token:
    """Make a token of a piece of text."""
    if kind is TokenKind.NAME and text.upper() in _KEYWORDS:
        return Token(TokenKind.KEYWORD, text.upper(), position)
    if kind is TokenKind.TEXT:
        return Token(kind, text[1:-1].replace("''", "'"), position)
    return Token(kind, text, position)
