"""The cost oracle sees what is not linear, and says the same each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.cost import Exceeded, measure
from tests.fuzz.target import Budget, Fault, Finding, Target, check, growth


def _loop_in_loop(data: bytes) -> int:
    """Look at each pair of bytes."""
    return sum(1 for one in data for other in data if one == other)


def _copied(data: bytes) -> None:
    """Copy the rest of the input for each byte."""
    while data:
        data = data[1:]


def _searched(data: bytes) -> None:
    """Search the input for each byte, without a copy."""
    for at in range(len(data)):
        data.find(b"x", at)


def _expanded(data: bytes) -> list[int]:
    """Make a list as long as the number in the input."""
    return list(range(int(data)))


def _target(run: Callable[[bytes], object], **fields: Any) -> Target:
    """Make a target that declares no error."""
    return Target(name="test", run=run, errors=(), seeds=lambda: (), **fields)


def _zeros(size: int) -> bytes:
    return bytes(size)


class OracleTests(SynchronousTestCase):
    """What is counted."""

    def test_quadratic_work(self) -> None:
        """Loops, copies and searches of the whole input for each byte are seen."""
        for run in (_loop_in_loop, _copied, _searched):
            size = 50 if run is _loop_in_loop else 4_000
            self.assertGreater(growth(_target(run), _zeros, size), 2.9, run.__name__)

    def test_linear_work(self) -> None:
        """A loop over the input is linear."""
        self.assertLess(
            growth(_target(lambda data: [b for b in data]), _zeros, 3000), 2.2
        )

    def test_memory(self) -> None:
        """A few digits that stand for a long list are a finding."""
        target = _target(_expanded, budget=Budget(work=100_000))
        check(target, b"1000")
        finding = self.assertRaises(Finding, check, target, b"100000")
        self.assertIs(finding.fault, Fault.MEMORY)

    def test_work(self) -> None:
        """Work over the budget is a finding, and is stopped far beyond it."""
        target = _target(_loop_in_loop, budget=Budget(work=100, work_each=1))
        check(target, bytes(3))
        finding = self.assertRaises(Finding, check, target, bytes(100))
        self.assertIs(finding.fault, Fault.WORK)
        _, error = measure(lambda: _loop_in_loop(bytes(2000)), 1000)
        self.assertIsInstance(error, Exceeded)

    def test_error(self) -> None:
        """An error that is not declared is a finding; one that is declared is none."""
        finding = self.assertRaises(Finding, check, _target(_expanded), b"x")
        self.assertIs(finding.fault, Fault.RAISED)
        declared = Target(
            name="test", run=_expanded, errors=(ValueError,), seeds=lambda: ()
        )
        check(declared, b"x")

    def test_same_each_time(self) -> None:
        """Two calls cost the same."""
        costs = {measure(lambda: _copied(bytes(3000)))[0].work for _ in range(3)}
        self.assertEqual(len(costs), 1)
