"""Tests of rocketmq_tw.filter.sql92.compiler: expressions as a whole."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.model.subscription import IllegalSubscription

PROPERTIES = {"a": "3", "c": "hello", "t": "true", "f": "false", "d": "3.5"}
#: As observed with Apache RocketMQ 5.5 for a message with these properties.
MATCHING = (
    "a = 3",
    "a = '3'",
    "a = 3.0",
    "3 = a",
    "b IS NULL",
    "a Is nOt Null",
    "NOT a",
    "TRUE",
    "a = 3 = TRUE",
    "a IN ('3','4')",
    "a BETWEEN 1 AND 5",
    "a NOT BETWEEN 1 AND 2",
    "a NOT BETWEEN 5 AND 1",
    "d > 3.4",
    "d = 3.50",
    "a > .5",
    "c CONTAINS 'lo'",
    "c NOT CONTAINS 'zz'",
    "c STARTSWITH 'he'",
    "c ENDSWITH 'lo'",
    "c = 'hello' OR b = 1",
    "t = TRUE",
    "a = 3)",
    "-- c\na = 3",
    "/* x */ a = 3",
    "x = y",
    "TRUE OR d > 3",
)
OTHER = (
    "a > 3",
    "a <> 3",
    "a",
    "NOT a = 3",
    "b NOT IN ('4')",
    "d BETWEEN 3 AND 4",
    "d > 3",
    "d > 3 OR TRUE",
    "NOT (d > 3)",
    "a > 1e2",
    "b NOT CONTAINS 'zz'",
    "3 CONTAINS '3'",
    "c CONTAINS ''",
    "c > 3",
    "-a < 0",
    "TRUE = t",
    "a > b",
    "a > 3 garbage",
    "c LIKE 'h%'",
    "a + 1 > 2",
    "A = 3",
)
WRONG = (
    "a IN (3)",
    "a BETWEEN 5 AND 1",
    "a BETWEEN '1' AND '5'",
    "a > 0.0",
    "a = 99999999999999999999",
    "a = NULL",
    "a > 'x'",
    "a > TRUE",
    "1 < a < 5",
    "3 IN ('3')",
    "a AND 3",
    "-a",
    "a == 3",
    "a != 3",
    "a =",
    "a NOT b",
    "(a = 3",
    "",
)


class CompileTests(SynchronousTestCase):
    """A text becomes a filter, or is refused."""

    def test_matching(self) -> None:
        """These match the message."""
        for text in MATCHING:
            self.assertTrue(compile_sql(text).matches(PROPERTIES), text)

    def test_other(self) -> None:
        """These are correct and do not match."""
        for text in OTHER:
            self.assertFalse(compile_sql(text).matches(PROPERTIES), text)

    def test_wrong(self) -> None:
        """These are refused."""
        for text in WRONG:
            self.assertRaises(IllegalSubscription, compile_sql, text)

    def test_error_says_where(self) -> None:
        """The error has the position and the reason."""
        error = self.assertRaises(IllegalSubscription, compile_sql, "a = 1 AND b = !")
        self.assertIn("'!' cannot be used at character 15", str(error))

    def test_cost(self) -> None:
        """The cost grows with the text; what is behind the expression has none."""
        self.assertEqual(compile_sql("a = 1").cost, 3)
        self.assertEqual(compile_sql("a = 1 OR b = 2 and then some more").cost, 10)
