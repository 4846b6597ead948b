"""The engine of the long runs finds what it must, and ends in time."""

from __future__ import annotations

import itertools
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.engines import check_time, run_hypothesis
from tests.fuzz.target import Fault, Finding, Target


def _refuses_brackets(data: bytes) -> None:
    """Fail for an input with a bracket."""
    if b"[" in data:
        raise KeyError(data)


def _backtracks(data: bytes) -> None:
    """Match a pattern whose work doubles with each letter."""
    re.fullmatch(rb"(a|a)*b", data)


class EngineTests(SynchronousTestCase):
    """Findings of one target."""

    def test_finds_and_makes_smaller(self) -> None:
        """The finding that is reported is the smallest input."""
        target = Target(
            name="test", run=_refuses_brackets, errors=(), seeds=lambda: (b"[",)
        )
        found: list[Finding] = []
        now = itertools.count().__next__
        self.assertGreater(run_hypothesis(target, 150, found.append, now), 0)
        self.assertEqual({each.data for each in found}, {b"["})

    def test_time_inside_c(self) -> None:
        """A pattern that backtracks is found by its time."""
        target = Target(name="test", run=_backtracks, errors=(), seeds=lambda: ())
        check_time(target, b"aaaab")
        finding = self.assertRaises(Finding, check_time, target, b"a" * 21)
        self.assertIs(finding.fault, Fault.TIME)
