"""Three values, from left to right."""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92 import evaluation
from rocketmq_tw.filter.sql92.comparison import Value

_VALUES: tuple[bool | None, ...] = (True, False, None)


def _nothing(name: str) -> None:
    """Look up a property of a message that has none."""


class LogicTests(SynchronousTestCase):
    """AND, OR and NOT."""

    def test_tables(self) -> None:
        """FALSE decides an AND and TRUE an OR; otherwise NULL does."""
        for left, right in product(_VALUES, _VALUES):
            parts = [evaluation.constant(left), evaluation.constant(right)]
            both = evaluation.all_of(parts)(_nothing)
            either = evaluation.any_of(parts)(_nothing)
            known = (left, right)
            expected: Value = None if None in known else all(known)
            self.assertIs(both, False if False in known else expected)
            expected = None if None in known else any(known)
            self.assertIs(either, True if True in known else expected)

    def test_short(self) -> None:
        """Nothing is evaluated behind what decides."""

        def never(get: evaluation.Lookup) -> Value:
            raise AssertionError("evaluated")

        false, true = evaluation.constant(False), evaluation.constant(True)
        self.assertIs(evaluation.all_of([false, never])(_nothing), False)
        self.assertIs(evaluation.any_of([true, never])(_nothing), True)
