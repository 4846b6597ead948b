"""
The functions that an SQL92 expression is compiled to.

Each function here returns one that takes a look-up of properties, the ``get`` of a
dict, and returns a value; None is NULL. It raises
:class:`~rocketmq_tw.filter.sql92.numbers.NotANumber` or
:class:`~rocketmq_tw.filter.sql92.comparison.CannotCompare` where the message cannot
match whatever the rest of the expression says; what decides before that is reached
avoids it, since conditions are evaluated from left to right and no further than needed.

Source: the ``evaluate`` methods in ``filter.expression`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rocketmq_tw.filter.sql92.comparison import Value, compare, equals
from rocketmq_tw.filter.sql92.numbers import Long

#: Looks up a property.
Lookup = Callable[[str], Any]
#: A compiled expression.
Evaluate = Callable[[Lookup], Value]


def constant(value: Value) -> Evaluate:
    """Return the evaluation of a constant."""
    return lambda get: value


def property_of(name: str) -> Evaluate:
    """Return the evaluation of a name."""
    return lambda get: get(name)


def truth_of(part: Evaluate) -> Evaluate:
    """Return the evaluation of a name as a condition: a text is FALSE."""

    def evaluate(get: Lookup) -> Value:
        value = part(get)
        return value if value is None or value is True else False

    return evaluate


def negated(part: Evaluate) -> Evaluate:
    """Return the evaluation of a minus sign: NULL unless it is before a number."""

    def evaluate(get: Lookup) -> Value:
        value = part(get)
        if value is None or isinstance(value, str | bool):
            return None
        return Long(-value) if isinstance(value, Long) else -value

    return evaluate


def inverse(part: Evaluate) -> Evaluate:
    """Return the evaluation of NOT."""

    def evaluate(get: Lookup) -> Value:
        value = part(get)
        return None if value is None else not value

    return evaluate


def all_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the evaluation of conditions joined by AND."""

    def evaluate(get: Lookup) -> Value:
        result: Value = True
        for part in parts:
            value = part(get)
            if value is None:
                result = None
            elif not value:
                return False
        return result

    return evaluate


def any_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the evaluation of conditions joined by OR."""

    def evaluate(get: Lookup) -> Value:
        result: Value = False
        for part in parts:
            value = part(get)
            if value:
                return True
            if value is None:
                result = None
        return result

    return evaluate


def equal(left: Evaluate, right: Evaluate) -> Evaluate:
    """Return the evaluation of ``=``."""
    return lambda get: equals(left(get), right(get))


def equal_to_text(left: Evaluate, text: str) -> Evaluate:
    """Return the evaluation of ``=`` between a name and a text, the usual one."""

    def evaluate(get: Lookup) -> Value:
        value = left(get)
        return None if value is None else value == text

    return evaluate


def ordered(
    left: Evaluate, right: Evaluate, test: Callable[[int, int], bool]
) -> Evaluate:
    """Return the evaluation of ``<`` and its like, which is a test of order and 0."""

    def evaluate(get: Lookup) -> Value:
        order = compare(left(get), right(get))
        return None if order is None else test(order, 0)

    return evaluate


def is_null(part: Evaluate) -> Evaluate:
    """Return the evaluation of IS NULL."""
    return lambda get: part(get) is None


def one_of(name: str, texts: frozenset[str]) -> Evaluate:
    """Return the evaluation of IN."""

    def evaluate(get: Lookup) -> Value:
        value = get(name)
        return None if value is None else value in texts

    return evaluate


def searched(
    part: Evaluate, found: Callable[[str, str], bool], text: str, expected: bool
) -> Evaluate:
    """
    Return the evaluation of CONTAINS and its like, or of their NOT forms.

    Both are FALSE if there is no text to search in, or none to search for: a number,
    a boolean and a condition are no texts.

    :param found: is called with the value and the text.
    :param expected: False for the NOT forms.
    """

    def evaluate(get: Lookup) -> Value:
        if not text:
            return False
        value = part(get)
        return isinstance(value, str) and found(value, text) is expected

    return evaluate
