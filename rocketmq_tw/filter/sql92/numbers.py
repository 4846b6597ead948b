"""
The numbers of SQL92 expressions: their types, and how texts become numbers.

The properties of a message are texts. One that is compared with a number is read as a
number of the same type, by the rules of Java. A text that is no such number makes the
whole expression fail, so the message does not match.

Source: ``ConstantExpression``, ``java.lang.Integer.parseInt``,
``java.lang.Double.valueOf``.
"""

from __future__ import annotations

import math
import re

#: Longer texts are not read as numbers.
LONGEST_NUMBER = 1024

_INT_LIMIT = 1 << 31
_LONG_LIMIT = 1 << 63
_INTEGER = re.compile(r"[+-]?\d+")
_DOUBLE = re.compile(
    r"[+-]?(?:NaN|Infinity"
    r"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)"
)
_HEXADECIMAL = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?"
)
#: What Java's ``String.trim`` removes.
_BLANKS = "".join(map(chr, range(33)))


class NotANumber(ValueError):
    """A text cannot be read as a number of the type that it is compared with."""


class Long(int):
    """A number of 64 bits; ``int`` stands for those of 32 bits."""


def integer(text: str) -> int:
    """
    Read a text as a number of 32 bits.

    :raises NotANumber: it is none.
    """
    value = _integer(text)
    if -_INT_LIMIT <= value < _INT_LIMIT:
        return value
    raise NotANumber(text[:40])


def long(text: str) -> Long:
    """
    Read a text as a number of 64 bits.

    :raises NotANumber: it is none.
    """
    value = _integer(text)
    if -_LONG_LIMIT <= value < _LONG_LIMIT:
        return Long(value)
    raise NotANumber(text[:40])


def _integer(text: str) -> int:
    """Read decimal digits, of any script, with an optional sign; no blanks."""
    if len(text) > LONGEST_NUMBER or not _INTEGER.fullmatch(text):
        raise NotANumber(text[:40])
    # Java looks at units of UTF-16, so digits beyond them are none.
    if not text.isascii() and max(text) > "\uffff":
        raise NotANumber(text[:40])
    return int(text)


def double(text: str) -> float:
    """
    Read a text as a number with a fraction.

    :raises NotANumber: it is none.
    """
    if len(text) > LONGEST_NUMBER:
        raise NotANumber(text[:40])
    text = text.strip(_BLANKS)
    if _DOUBLE.fullmatch(text):
        # "Infinity" and "NaN" have no suffix; "inf" and "1_0" do not get here.
        return float(text if text[-1] in "yN" else text.rstrip("fFdD"))
    found = _HEXADECIMAL.fullmatch(text)
    if found is None:
        raise NotANumber(text[:40])
    try:
        return float.fromhex(found[1])
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def order(left: float, right: float) -> int:
    """
    Compare two numbers as ``Double.compareTo``: NaN is above all, -0.0 below 0.0.

    :returns: a number below, at or above 0.
    """
    if left < right:
        return -1
    if left > right:
        return 1
    if left == right and left:
        return 0
    keys = [(each != each, math.copysign(1.0, each)) for each in (left, right)]
    if keys[0][0] or keys[1][0]:
        return keys[0][0] - keys[1][0]
    return int(keys[0][1] - keys[1][1])


def decimal_constant(text: str) -> int:
    """
    Return the value of a decimal constant: of 32 bits if it fits.

    :raises NotANumber: it has more than 64 bits.
    """
    digits = text.rstrip("lL")
    if len(digits) > 19 or (value := int(digits)) >= _LONG_LIMIT:
        raise NotANumber(text[:40])
    return value if value < _INT_LIMIT else Long(value)


def float_constant(text: str) -> float:
    """
    Return the value of a constant with a fraction.

    :raises NotANumber: it is zero, or beyond the range of a double.
    """
    value = float(text)
    if value == 0.0 or math.isinf(value):
        raise NotANumber(text[:40])
    return value
