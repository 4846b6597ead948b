"""
Compares the values of SQL92 expressions: texts, numbers, booleans and NULL.

A value is a ``str``, an ``int`` (32 bits), a :class:`Long`, a ``float``, a ``bool``, or
None for NULL. A text that meets a number or a boolean becomes one first.

Source: ``ComparisonExpression.compare`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.filter.sql92.numbers import Long, double, integer, long, order

#: What an expression evaluates to; a Long is an int.
Value = str | bool | int | float | None


class CannotCompare(ValueError):
    """Two values cannot be compared, so the message does not match."""


#: How a text is read that is compared with a value of a type.
_READERS: dict[type, Callable[[str], int | float]] = {
    int: integer,
    Long: long,
    float: double,
}


def read_as(kind: type, text: str) -> Value:
    """
    Read a text as a value of a type.

    :raises NotANumber: it is no such number.
    """
    if kind is bool:
        return text.lower() == "true"
    return _READERS[kind](text)


def equals(left: Value, right: Value) -> bool | None:
    """
    Return whether two values are equal; None if only the left one is NULL.

    :raises NotANumber: a text is not a number of the other's type.
    :raises CannotCompare: the types cannot be compared.
    """
    if left is None:
        return True if right is None else None
    if right is None:
        return False
    kind, other = type(left), type(right)
    if kind is other and kind is not float:
        return left == right
    if kind is bool or other is bool:
        return _equals_boolean(left, right)
    return _order(left, right) == 0


def _equals_boolean(left: Value, right: Value) -> bool:
    """Return whether two values are equal of which at least one is a boolean."""
    if isinstance(right, str):
        raise CannotCompare("a boolean with a text on its right")
    if isinstance(left, str):
        return read_as(bool, left) is right
    return left is right


def compare(left: Value, right: Value) -> int | None:
    """
    Return a number below, at or above 0; None if one or both are NULL.

    :raises NotANumber: a text is not a number.
    :raises CannotCompare: the types cannot be compared.
    """
    if left is None or right is None:
        return None
    if isinstance(left, bool) or isinstance(right, bool):
        raise CannotCompare("a boolean that is ordered")
    return _order(left, right)


def _order(left: Value, right: Value) -> int:
    """Order two values that are no booleans and not NULL."""
    if isinstance(left, str):
        if isinstance(right, str):
            return order(double(left), double(right))
        assert right is not None
        left = _READERS[type(right)](left)
    elif isinstance(right, str):
        assert left is not None
        right = _READERS[type(left)](right)
    assert left is not None and right is not None
    if isinstance(left, float) or isinstance(right, float):
        return order(float(left), float(right))
    return (left > right) - (left < right)
