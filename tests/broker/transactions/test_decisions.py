"""Tests of rocketmq_tw.broker.transactions.decisions."""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.decisions import HISTORY, Decision, Decisions

#: How many half messages the state machine stores at most.
MOST = 40
MADE = st.sampled_from([each for each in Decision if each is not Decision.PENDING])


class DecisionsTests(SynchronousTestCase):
    """What is pending, and what is remembered."""

    def test_first_pending(self) -> None:
        """It moves over all that is decided, in whatever order."""
        table = Decisions(100)
        table.decide(101, Decision.COMMITTED)
        self.assertEqual((table.start, table.pending(105)), (100, 4))
        table.decide(100, Decision.ROLLED_BACK)
        self.assertEqual((table.start, table.pending(105)), (102, 3))
        self.assertEqual(table.next_pending(0, 105), 102)
        self.assertIsNone(table.next_pending(105, 105))

    def test_what_was_decided(self) -> None:
        """What is older than the first is not known."""
        table = Decisions(100)
        table.decide(100, Decision.COMMITTED)
        table.decide(99, Decision.COMMITTED)
        self.assertIs(table.of(100), Decision.COMMITTED)
        self.assertIs(table.of(101), Decision.PENDING)
        self.assertIsNone(table.of(99))

    def test_history_is_short(self) -> None:
        """Decisions before the first that is pending are forgotten after some time."""
        table = Decisions(0, history=10)
        for offset in range(100):
            table.decide(offset, Decision.COMMITTED)
        self.assertIs(table.of(90), Decision.COMMITTED)
        self.assertIsNone(table.of(70))
        self.assertLessEqual(len(table._row), 21)

    def test_a_million_behind_one(self) -> None:
        """They take a byte each, and nothing looks at each of them."""
        table = Decisions(0)
        table.decide(1_000_000, Decision.COMMITTED)
        table._row[1:] = bytes([Decision.COMMITTED]) * 1_000_000
        table._ahead = 1_000_000
        self.assertEqual(len(table._row), 1_000_001)
        self.assertEqual(table.pending(1_000_001), 1)
        self.assertIsNone(table.next_pending(1, 1_000_001))
        table.decide(0, Decision.ROLLED_BACK)
        self.assertEqual((table.start, table.pending(1_000_001)), (1_000_001, 0))
        self.assertLessEqual(len(table._row), 2 * HISTORY)

    def test_gone(self) -> None:
        """What is not stored any more is given up, in the row and behind it."""
        table = Decisions(0)
        table.decide(2, Decision.COMMITTED)
        table.decide(4, Decision.COMMITTED)
        table.skip_to(3)
        self.assertEqual((table.start, table.pending(6)), (3, 2))
        self.assertIs(table.of(1), Decision.GIVEN_UP)
        self.assertIs(table.of(2), Decision.COMMITTED)
        table.skip_to(1 << 40)
        self.assertEqual(table.start, 1 << 40)
        self.assertLess(len(table._row), 10)

    def test_ended_elsewhere(self) -> None:
        """What another broker decides is no more to be decided here."""
        table = Decisions(0)
        table.decide(2, Decision.COMMITTED)
        table.skip_to(2, Decision.ENDED)
        self.assertEqual((table.start, table.pending(4)), (3, 1))
        self.assertIs(table.of(1), Decision.ENDED)


class Machine(RuleBasedStateMachine):
    """The table beside a dictionary that has every decision."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Decisions(5, history=3)
        self.known: dict[int, Decision] = {}
        self.end = 5

    @rule(count=st.integers(1, 4))
    def store(self, count: int) -> None:
        """Store half messages, of which the table is told nothing."""
        self.end = min(self.end + count, 5 + MOST)

    @rule(data=st.data(), decision=MADE)
    def decide(self, data: Any, decision: Decision) -> None:
        """Decide on one, maybe again."""
        if self.end > 5:
            offset = data.draw(st.integers(5, self.end - 1))
            if self.table.of(offset) is not None:
                self.known[offset] = decision
            self.table.decide(offset, decision)

    @rule(data=st.data())
    def skip(self, data: Any) -> None:
        """Let the oldest be gone."""
        offset = data.draw(st.integers(5, self.end))
        for each in range(5, offset):
            self.known.setdefault(each, Decision.GIVEN_UP)
        self.table.skip_to(offset)

    @invariant()
    def agree(self) -> None:
        """Both know the same."""
        pending = [each for each in range(5, self.end) if each not in self.known]
        assert self.table.pending(self.end) == len(pending)
        assert self.table.start <= self.end
        assert not pending or self.table.start == pending[0]
        at, found = 0, []
        while (following := self.table.next_pending(at, self.end)) is not None:
            found.append(following)
            at = following + 1
        assert found == pending
        for offset in range(5, self.end):
            said = self.table.of(offset)
            assert said in (None, self.known.get(offset, Decision.PENDING))
            assert said is not None or offset < self.table.start
            assert self.table.is_pending(offset) is (said is Decision.PENDING)


class DecisionsMachineTests(Machine.TestCase):  # type: ignore[name-defined, misc]
    """Runs the machine."""

    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


assert issubclass(DecisionsMachineTests, TestCase)
