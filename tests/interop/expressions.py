"""A table of SQL92 expressions and messages, generated the same on every run."""

from __future__ import annotations

import random

#: The properties of the messages; the names that expressions use are a to f and ``s``.
MESSAGES: tuple[dict[str, str], ...] = (
    {"a": "3", "c": "hello", "t": "true", "f": "false", "d": "3.5", "TAGS": "T"},
    {},
    {"a": "3000000000", "b": "-7", "c": "", "d": "NaN", "s": "it's", "t": "TRUE"},
    {"a": "+12", "b": " 3", "c": "3", "d": " -0.0 ", "e": "0x1p3", "f": "1e400"},
    {"a": "007", "b": "2147483648", "c": "3", "d": "1e3", "e": "3d", "t": "yes"},
    {"a": "-2147483648", "b": "x", "c": "hello", "d": "Infinity", "e": "inf"},
    {"a": "٣", "b": "1_000", "c": "héllo", "d": ".5", "e": "0.0", "f": "null"},
    {"a": "9223372036854775807", "b": "3", "c": "lo", "d": "3", "e": "-0.0"},
)

#: Expressions of which each is known to surprise.
KNOWN: tuple[str, ...] = (
    "NOT a",
    "NOT a = 3",
    "a = 3 = TRUE",
    "a = 3 = 3",
    "3 = (a = 3)",
    "1 < a < 5",
    "a > 0.0",
    "a > 1e400",
    "a = 3L",
    "a = 3000000000",
    "a = 99999999999999999999",
    "a = 9223372036854775808",
    "a = -2147483648",
    "a = -9223372036854775808",
    "a = - -3",
    "a = 007",
    "a = 0x3",
    "a = 0L",
    "TRUE = t",
    "t = TRUE",
    "t <> TRUE",
    "FALSE = TRUE",
    "FALSE = 3",
    "3 = FALSE",
    "'x' = FALSE",
    "'3' = 3",
    "3 = '3'",
    "'x' = 3",
    "3 = 3.0",
    "3L > 2.5",
    "NULL",
    "NOT NULL",
    "NULL IS NULL",
    "TRUE IS NOT NULL",
    "NULL AND FALSE",
    "NULL OR TRUE",
    "NULL = a",
    "a = NULL",
    "a <> NULL",
    "a IN ()",
    "a IN (3)",
    "3 IN ('3')",
    "(a) IN ('3', '+12')",
    "+a IN ('3')",
    "-a IN ('3')",
    "a IN ('3') IN ('4')",
    "a NOT IN ('3')",
    "NOT a IN ('3')",
    "a BETWEEN 1 AND 5",
    "a BETWEEN 5 AND 1",
    "a BETWEEN 5 AND 1.5",
    "a BETWEEN -1 AND -5",
    "a BETWEEN '1' AND '5'",
    "a BETWEEN NULL AND 5",
    "a BETWEEN b AND d",
    "a NOT BETWEEN b AND d",
    "3 BETWEEN 1 AND 5",
    "a BETWEEN TRUE AND FALSE",
    "a BETWEEN 1 AND 5 AND b = 3",
    "a BETWEEN 1 OR 5",
    "c CONTAINS ''",
    "c NOT CONTAINS ''",
    "c CONTAINS 3",
    "3 CONTAINS '3'",
    "3.5 CONTAINS '3.5'",
    "12345678.5 CONTAINS '1.23456785E7'",
    "1e-5 CONTAINS '1.0E-5'",
    "123456789012 ENDSWITH '12'",
    "TRUE STARTSWITH 'tr'",
    "(a = 3) CONTAINS 'true'",
    "NULL CONTAINS 'n'",
    "-3 STARTSWITH '-'",
    "-a CONTAINS '3'",
    "'hello' CONTAINS 'ell'",
    "c CONTAINS 'é'",
    "s = 'it''s'",
    "s = 'it's'",
    "s = 'it''s",
    "c = 'a\nb'",
    "'x' > 3",
    "a > 'x'",
    "a > TRUE",
    "a > NULL",
    "a > (b = 3)",
    "-TRUE = 1",
    "-'x' IS NULL",
    "-(a = 3) IS NULL",
    "+'x' = 'x'",
    "+TRUE",
    "-a",
    "-3",
    "3",
    "'x'",
    "3 AND TRUE",
    "TRUE AND 3",
    "a AND b",
    "a OR b",
    "d > 3 OR TRUE",
    "TRUE OR d > 3",
    "NOT (d > 3)",
    "FALSE AND d > 3",
    "d > 3 AND FALSE",
    "a IS",
    "a IS NOT",
    "a IS b",
    "a NOT b",
    "a NOT",
    "a NOT LIKE 'x'",
    "a NOT = 3",
    "a > 3 garbage",
    "a > 3 !",
    "a > 3 garbage !",
    "a + 1 > 2",
    "a = 3)",
    "(a = 3",
    "()",
    "",
    "   ",
    "-- c\na = 3",
    "-- c",
    "a = 3 -- c",
    "a --\n= 3",
    "/* x */ a = 3",
    "/* x **/ a = 3",
    "/* x a = 3",
    "a /**/ = 3",
    "a == 3",
    "a != 3",
    "a = .5",
    "a = 5.",
    "a = 5.e1",
    "a = 1e",
    "a = 1.5L",
    "a.b = 3",
    "a-b = 3",
    "$a = 3",
    "_a IS NULL",
    "é = 3",
    "a = 3;",
    'a = "3"',
    "a Is nOt Null",
    "contains = 3",
    "Not",
    "NOT NOT NOT a",
    "a = 3 IS NULL",
    "a = b IS NULL",
    "b = a IS NULL",
    "(a = b) IS NOT NULL IS NULL",
    "x = y",
    "x <> y",
    "a > x",
    "x > a",
    "NOT (x > a)",
    "NOT (a > x)",
    "NOT (x > y)",
    "d > e",
    "d = e",
    "d >= 3.5",
    "d <= 1e3",
    "e < d",
    "c > d",
    "c <> 'hello'",
    "x <> 'hello'",
    "x = 'hello'",
    "'hello' = x",
    "t = f",
    "t",
    "((((a = 3))))",
)

_NAMES = ("a", "b", "c", "d", "e", "f", "s", "t", "x", "TAGS")
_VALUES = (
    "3",
    "-7",
    "0",
    "3L",
    "2147483648",
    "3.5",
    ".5",
    "1e3",
    "'3'",
    "'hello'",
    "''",
    "'true'",
    "TRUE",
    "FALSE",
    "NULL",
    "- 3.5",
)
_TEXTS = ("'3'", "'lo'", "'h'", "''", "'true'", "'it''s'")


def table(count: int, seed: int = 11) -> list[str]:
    """Return the known expressions, and others made by chance: ``count`` in all."""
    chance = random.Random(seed)
    made = list(KNOWN)
    while len(made) < count:
        made.append(_condition(chance, 3))
    return made


def _condition(chance: random.Random, depth: int) -> str:
    """Make a condition; now and then it is none, or its parts do not fit."""
    kind = chance.randrange(12 if depth else 9)
    left, right = _value(chance, depth), _value(chance, depth)
    if kind < 3:
        return f"{left} {chance.choice(['=', '<>', '>', '>=', '<', '<='])} {right}"
    negative = chance.choice(["", "NOT "])
    if kind == 3:
        return f"{left} {negative}BETWEEN {right} AND {_value(chance, depth)}"
    if kind == 4:
        texts = ", ".join(chance.sample(_TEXTS, chance.randint(1, 4)))
        return f"{chance.choice(_NAMES)} {negative}IN ({texts})"
    if kind == 5:
        word = chance.choice(["CONTAINS", "STARTSWITH", "endswith"])
        return f"{left} {negative}{word} {chance.choice(_TEXTS)}"
    if kind == 6:
        return f"{left} IS {negative}NULL"
    if kind == 7:
        return f"{chance.choice(_NAMES)} = {chance.choice(_VALUES)}"
    if kind == 8:
        return chance.choice([left, "TRUE", "FALSE", "NULL"])
    if kind == 9:
        return f"NOT {_condition(chance, depth - 1)}"
    if kind == 10:
        return f"({_condition(chance, depth - 1)})"
    joint = chance.choice(["AND", "OR"])
    return f"{_condition(chance, depth - 1)} {joint} {_condition(chance, depth - 1)}"


def _value(chance: random.Random, depth: int) -> str:
    """Make a value: mostly a name or a constant."""
    kind = chance.randrange(10)
    if kind < 6:
        return chance.choice(_NAMES)
    if kind < 9 or not depth:
        return chance.choice(_VALUES)
    return f"({_condition(chance, depth - 1)})"
