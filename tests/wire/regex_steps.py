"""
A cost oracle for regular expressions: an interpreter that counts its steps.

It reads what :mod:`re` reads and backtracks as :mod:`re` does, one character at a time.
So a pattern whose steps here grow faster than the text does so in :mod:`re` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# The parser is private, and there is no other way to a pattern's parts.
import re._constants as sre  # type: ignore[import-not-found]  # isort: skip
import re._parser as parser  # type: ignore[import-not-found]  # isort: skip

_ONE_CHARACTER = (sre.IN, sre.LITERAL, sre.NOT_LITERAL, sre.ANY)
_ANY_REPEAT = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


def search_steps(pattern: str, text: str) -> int:
    """Count the steps of finding all matches of a pattern, as ``re.sub`` does."""
    return _Machine(pattern, text).find_all()


def match_steps(pattern: str, text: str, at: int) -> int:
    """Count the steps of one match that begins at a position."""
    return _Machine(pattern, text).match(at)


class _Machine:
    """One pattern over one text."""

    def __init__(self, pattern: str, text: str) -> None:
        self._parts = list(parser.parse(pattern))
        self._text = text
        self._steps = 0

    def find_all(self) -> int:
        """Search from each place where no match before reaches."""
        at = 0
        while at <= len(self._text):
            end = next(self._match(self._parts, at), None)
            at = at + 1 if end is None or end == at else end
        return self._steps

    def match(self, at: int) -> int:
        """Match once; what follows is left to the caller."""
        next(self._match(self._parts, at), None)
        return self._steps

    def _match(self, parts: list[Any], at: int) -> Iterator[int]:
        """Give the ends of the matches of a sequence, in the order of trial."""
        if not parts:
            yield at
            return
        for end in self._one(*parts[0], at):
            yield from self._match(parts[1:], end)

    def _one(self, kind: Any, argument: Any, at: int) -> Iterator[int]:
        """Give the ends of the matches of one part."""
        self._steps += 1
        if kind in _ANY_REPEAT:
            yield from self._repeat(kind, argument, at)
        elif kind is sre.SUBPATTERN:
            yield from self._match(list(argument[3]), at)
        elif kind is sre.BRANCH:
            for way in argument[1]:
                yield from self._match(list(way), at)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            is_match = next(self._match(list(argument[1]), at), None) is not None
            if is_match is (kind is sre.ASSERT):
                yield at
        elif kind is sre.AT:
            if at == len(self._text):
                yield at
        elif at < len(self._text) and self._takes(kind, argument, self._text[at]):
            yield at + 1

    def _repeat(self, kind: Any, argument: Any, at: int) -> Iterator[int]:
        """Give the ends of the matches of a repeated part."""
        least, most, inner = argument
        if kind is sre.POSSESSIVE_REPEAT:
            yield self._possess(list(inner), most, at)
        elif kind is sre.MIN_REPEAT:
            yield from self._lazy(list(inner), least, most, at)
        elif len(inner) == 1 and inner[0][0] in _ONE_CHARACTER:
            ends = [at]
            while len(ends) <= most and (end := self._next(list(inner), ends[-1])):
                ends.append(end)
            yield from reversed(ends[least:])
        else:
            yield from self._greedy(list(inner), least, most, at)

    def _next(self, inner: list[Any], at: int) -> int | None:
        """Return the first end of a match; None where there is none, or no step."""
        end = next(self._match(inner, at), None)
        return None if end == at else end

    def _greedy(
        self, inner: list[Any], least: int, most: int, at: int
    ) -> Iterator[int]:
        """Repeat a group: the longest first, each way of each repetition."""
        if most > 0:
            for end in self._match(inner, at):
                if end != at:
                    yield from self._greedy(inner, least - 1, most - 1, end)
        if least <= 0:
            yield at

    def _lazy(self, inner: list[Any], least: int, most: int, at: int) -> Iterator[int]:
        """Repeat as little as possible."""
        for count in range(most):
            if count >= least:
                yield at
            end = self._next(inner, at)
            if end is None:
                return
            at = end

    def _possess(self, inner: list[Any], most: int, at: int) -> int:
        """Repeat as often as possible, and give nothing back."""
        count = 0
        while count < most and (end := self._next(inner, at)):
            at, count = end, count + 1
        return at

    @staticmethod
    def _takes(kind: Any, argument: Any, char: str) -> bool:
        """Return whether a set or a literal takes a character."""
        if kind is sre.LITERAL:
            return ord(char) == argument
        if kind is sre.NOT_LITERAL:
            return ord(char) != argument
        if kind is sre.ANY:
            return char != "\n"
        return any(_in_set(item, char) for item in argument) != (
            argument[0][0] is sre.NEGATE
        )


def _in_set(item: Any, char: str) -> bool:
    """Return whether one item of a set holds a character."""
    kind, argument = item
    if kind is sre.LITERAL:
        return ord(char) == argument
    if kind is sre.RANGE:
        return argument[0] <= ord(char) <= argument[1]
    if kind is sre.CATEGORY:
        letter = str(argument).rpartition("_")[2][0].lower()
        letter = letter.upper() if "NOT" in str(argument) else letter
        return re.match(f"\\{letter}", char) is not None
    return False
