"""Expressions over one message, and whether it meets them."""

from __future__ import annotations

from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.model.subscription import IllegalSubscription

#: The message: b and e are missing.
MESSAGE = {
    "a": "3",
    "c": "hello",
    "t": "true",
    "f": "false",
    "d": "3.5",
    "n": " 3",
    "big": "3000000000",
    "TAGS": "T",
}

#: What Apache RocketMQ 5.5.1 does with each: M for a match, - for none, E for an error.
TABLE = """\
-|a > 3
M|a = 3
M|a = '3'
M|a = 3.0
M|a = 3L
M|3 = a
-|a <> 3
M|b IS NULL
-|b IS NOT NULL
-|a
M|NOT a
-|a AND TRUE
M|TRUE
M|3 > 2
M|a = 3 = TRUE
M|a IN ('3','4')
E|a IN (3)
-|b NOT IN ('4')
M|a BETWEEN 1 AND 5
E|a BETWEEN 5 AND 1
E|a BETWEEN '1' AND '5'
M|a NOT BETWEEN 1 AND 2
-|d BETWEEN 3 AND 4
-|d > 3
M|d > 3.4
M|d = 3.50
M|a > .5
E|a > 0.0
-|a > 1e2
E|a = 99999999999999999999
M|c CONTAINS 'lo'
M|c NOT CONTAINS 'zz'
-|b NOT CONTAINS 'zz'
M|c STARTSWITH 'he'
M|c ENDSWITH 'lo'
-|c CONTAINS ''
M|c = 'hello' OR b = 1
-|c = 'hello' AND b = 1
-|c > 3
-|-a < 0
-|a = -3
-|a > b
M|t = TRUE
-|f = TRUE
-|a = TRUE
E|a = NULL
E|a > 'x'
E|a > TRUE
E|a == 3
E|a != 3
E|a =
E|(a = 3
M|a = 3)
-|a > 3 garbage
-|c LIKE 'h%'
-|a + 1 > 2
-|A = 3
M|/* x */ a = 3
M|a=3 and(c='hello')
M|TAGS = 'T'
M|a Is nOt Null
E|
-|NOT a = 3
M|NOT (a = 4)
-|a = 3 = 3
E|1 < a < 5
-|d > 3 OR TRUE
-|NOT (d > 3)
M|TRUE OR d > 3
-|big > 1
-|big > 1L
M|big > 2999999999
-|n = 3
M|n = 3.0
M|b = e
-|a = b
-|b = a
M|a <> b
-|b <> a
M|NULL IS NULL
M|TRUE IS NOT NULL
-|TRUE = t
E|TRUE = 3
E|3 AND TRUE
E|NOT 'x'
E|a = 1e400
M|a < big
"""


def expected() -> list[tuple[str, str]]:
    """Return pairs of a letter of the table and its expression."""
    lines = TABLE.splitlines()
    return [(line[0], line[2:]) for line in lines]


def outcome(text: str, message: dict[str, str] = MESSAGE) -> str:
    """Return the letter for an expression."""
    try:
        compiled = compile_sql(text)
    except IllegalSubscription:
        return "E"
    return "M" if compiled.matches(message) else "-"
