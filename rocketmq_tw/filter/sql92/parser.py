"""
Parses an SQL92 expression and compiles it while it goes.

The grammar::

    expression = and { OR and }
    and        = equality { AND equality }
    equality   = comparison { "=" comparison | "<>" comparison | IS [NOT] NULL }
    comparison = unary { (">" | ">=" | "<" | "<=") unary
                       | [NOT] BETWEEN unary AND unary
                       | [NOT] IN "(" text { "," text } ")"
                       | [NOT] (CONTAINS | STARTSWITH | ENDSWITH) text }
    unary      = "+" unary | "-" unary | NOT unary | primary
    primary    = text | number | TRUE | FALSE | NULL | name | "(" expression ")"

So NOT binds tighter than a comparison. What follows a whole expression is not looked
at, as with Apache RocketMQ.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from rocketmq_tw.filter.sql92 import evaluation, nodes
from rocketmq_tw.filter.sql92.lexer import Lexer, TokenKind
from rocketmq_tw.filter.sql92.nodes import MAX_DEPTH, Node
from rocketmq_tw.filter.sql92.numbers import (
    NotANumber,
    decimal_constant,
    float_constant,
)

_ORDERS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SEARCHES: dict[str, Callable[[str, str], bool]] = {
    "CONTAINS": str.__contains__,
    "STARTSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}
_NEGATABLE = frozenset({"IN", "BETWEEN", *_SEARCHES})


class Parser:
    """
    Parses one text.

    :raises IllegalSubscription: from every method: the text is wrong, too long or
        nested too deep.
    """

    # _depth is the number of calls of unary() that are active, which are the only
    # recursion.

    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._depth = 0

    @property
    def count(self) -> int:
        """How many tokens were read."""
        return self._lexer.count

    def parse(self) -> Node:
        """Return the whole expression as a condition."""
        try:
            return nodes.condition(self._either())
        except (nodes.NotAllowed, NotANumber) as error:
            raise self._lexer.wrong(_why(error)) from None

    def _either(self) -> Node:
        """Parse conditions joined by OR."""
        parts = [self._both()]
        while self._take("OR"):
            parts.append(nodes.condition(self._both()))
        return nodes.joined(evaluation.any_of, parts)

    def _both(self) -> Node:
        """Parse conditions joined by AND."""
        parts = [self._equality()]
        while self._take("AND"):
            parts.append(nodes.condition(self._equality()))
        return nodes.joined(evaluation.all_of, parts)

    def _equality(self) -> Node:
        """Parse a comparison, and what it is compared with."""
        left = self._comparison()
        while True:
            if self._take("="):
                left = nodes.equal(left, self._comparison())
            elif self._take("<>"):
                left = nodes.inverse(nodes.equal(left, self._comparison()))
            elif self._take("IS"):
                negative = self._take("NOT")
                self._expect("NULL")
                left = nodes.is_null(left)
                left = nodes.inverse(left) if negative else left
            else:
                return left

    def _comparison(self) -> Node:
        """Parse a value, and the comparisons that bind tighter than equality."""
        left = self._unary()
        while True:
            word = self._word()
            if word in _ORDERS:
                self._lexer.advance()
                left = nodes.ordered(left, _ORDERS[word], self._unary())
            elif word in _NEGATABLE:
                left = self._named(left, expected=True)
            elif word == "NOT":
                self._lexer.advance()
                if self._word() not in _NEGATABLE:
                    raise self._lexer.wrong(
                        "BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH is expected"
                    )
                left = self._named(left, expected=False)
            else:
                return left

    def _named(self, left: Node, *, expected: bool) -> Node:
        """Parse a comparison that is a word; ``expected`` is False after NOT."""
        word = self._lexer.advance().text
        if word == "BETWEEN":
            low = self._unary()
            self._expect("AND")
            high = self._unary()
            between = nodes.between if expected else nodes.outside
            return between(left, low, high)
        if word == "IN":
            found = nodes.one_of(left, self._texts())
            return found if expected else nodes.inverse(found)
        return nodes.searched(left, _SEARCHES[word], self._text(), expected)

    def _texts(self) -> list[str]:
        """Parse texts in parentheses."""
        self._expect("(")
        texts = [self._text()]
        while self._take(","):
            texts.append(self._text())
        self._expect(")")
        return texts

    def _text(self) -> str:
        """Parse a text."""
        if self._lexer.current.kind is not TokenKind.TEXT:
            raise self._lexer.wrong("a text in quotes is expected")
        return self._lexer.advance().text

    def _unary(self) -> Node:
        """Parse a value with any signs and NOTs before it."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise nodes.NotAllowed(
                f"the expression is nested more than {MAX_DEPTH} deep"
            )
        try:
            if self._take("+"):
                return self._unary()
            if self._take("-"):
                return nodes.negated(self._unary())
            if self._take("NOT"):
                return nodes.inverse(self._unary())
            return self._primary()
        finally:
            self._depth -= 1

    def _primary(self) -> Node:
        """Parse a constant, a name, or an expression in parentheses."""
        if self._take("("):
            node = self._either()
            self._expect(")")
            return node
        token = self._lexer.current
        if token.kind is TokenKind.NAME:
            node = nodes.name(token.text)
        elif token.kind is TokenKind.TEXT:
            node = nodes.constant(token.text)
        elif token.kind is TokenKind.DECIMAL:
            node = nodes.constant(decimal_constant(token.text))
        elif token.kind is TokenKind.FLOAT:
            node = nodes.constant(float_constant(token.text))
        elif token.kind is TokenKind.KEYWORD and token.text in _WORDS:
            node = nodes.constant(_WORDS[token.text])
        else:
            raise self._lexer.wrong("a name, a text or a number is expected")
        self._lexer.advance()
        return node

    def _word(self) -> str:
        """Return the current keyword or operator; the empty text if it is none."""
        token = self._lexer.current
        if token.kind in (TokenKind.KEYWORD, TokenKind.OPERATOR):
            return token.text
        return ""

    def _take(self, word: str) -> bool:
        """Go past a keyword or operator, if it comes now."""
        if self._word() != word:
            return False
        self._lexer.advance()
        return True

    def _expect(self, word: str) -> None:
        """Go past a keyword or operator that must come now."""
        if not self._take(word):
            raise self._lexer.wrong(f"{word} is expected")


def _why(error: ValueError) -> str:
    """Return the reason of an error, as a clause."""
    if isinstance(error, NotANumber):
        return f"{error} is no number that can be used; write 0 for zero"
    return str(error)
