"""Tests of rocketmq_tw.broker.transactions.feature: as users meet it."""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC
from rocketmq_tw.remoting.lane import NotAdmitted
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.frame import FrameDecoder
from tests.broker.send.ways import frame_of
from tests.broker.transactions.cases import (
    COMMIT,
    ROLLBACK,
    TransactionCase,
    ended,
    half,
    questions,
)


class FeatureTests(TransactionCase):
    """What is shown, and what a restart keeps."""

    def test_shown(self) -> None:
        """Operators see what is pending and what became of the others."""
        shown = self.stats.gauges
        made = [self.prepare(b"%d" % number) for number in range(4)]
        self.end_now(made[0])
        self.end_now(made[2], ROLLBACK)
        names = ("transactionsPending", "halfMessages", "transactionsCommitted")
        self.assertEqual([shown[name]() for name in names], [2, 3, 1])
        self.assertEqual(shown["transactionsRolledBack"](), 1)

    def test_by_topic(self) -> None:
        """Each topic has its own counts, by whichever way its messages came."""
        made = [self.prepare(b"%d" % number) for number in range(5)]
        self.end_now(made[0])
        self.end_now(made[2], ROLLBACK)
        self.end_now(made[3])
        self.now(ended(made[3]))
        (counts,) = self.broker.transaction_counts.table.values()
        self.assertEqual((counts.halves, counts.commits, counts.rollbacks), (2, 2, 1))

    def test_not_admitted(self) -> None:
        """A send that a guard leaves is read once: that may hash all of its body."""
        frames = FrameDecoder().feed(frame_of(310, to_ext(half()), b"Hello"))
        bodies: list[bytes] = []

        def read(header: bytes, body: bytes) -> Command:
            bodies.append(body)
            raise NotAdmitted

        lane = self.router.lane
        assert lane is not None
        taken = lane.take(frames, 0, 1, self.peer, self.clock.wall_seconds(), read)
        self.assertEqual((taken.count, bodies), (0, [b"Hello"]))

    def test_restart(self) -> None:
        """What is pending is asked about after a restart, and ends then."""
        self.prepare(b"a")
        self.restart()
        peer = self.producer()
        self.pass_time(30)
        ((_, message),) = questions(peer)
        self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a"])


class _Broker(TransactionCase):
    """A broker for the machine, whose producers are asked often."""

    settings = {
        **TransactionCase.settings,
        "transaction_check_interval": 10_000,
        "transaction_check_max": 2,
    }

    def runTest(self) -> None:  # noqa: N802
        """Nothing: the machine drives it."""


class Machine(RuleBasedStateMachine):
    """
    Transactions end in any order, again, after questions, restarts and kills.

    The oracle is what each producer has decided first, and who was asked in vain.
    """

    def __init__(self) -> None:
        super().__init__()
        self.case = _Broker("runTest")
        self.case.setUp()
        self.made: list[StoredMessage] = []
        self.decided: dict[int, int] = {}

    def teardown(self) -> None:
        """Compare what consumers got with what was committed; stop the broker."""
        try:
            self.compare()
        finally:
            self.case.doCleanups()

    @rule()
    def prepare(self) -> None:
        """Send a half message."""
        self.made.append(self.case.prepare(b"%d" % len(self.made)))

    @precondition(lambda self: self.made)
    @rule(data=st.data(), bits=st.sampled_from([COMMIT, ROLLBACK]))
    def end(self, data: Any, bits: int) -> None:
        """End a transaction, or end it again."""
        number = data.draw(st.integers(0, len(self.made) - 1))
        response = self.case.now(ended(self.made[number], bits))
        if number not in self.decided:
            assert response.status == 0, response.remark
            self.decided[number] = bits
        elif response.status:
            assert "has ended" in response.remark
        elif not self.decided[number]:
            self.decided[number] = bits if bits == COMMIT else 0

    @rule(bits=st.sampled_from([0, COMMIT, ROLLBACK]))
    def ask(self, bits: int) -> None:
        """Let a producer answer all questions of the next round in one way."""
        peer = self.case.producer()
        self.case.pass_time(10)
        for _, message in questions(peer):
            number = int(message.body)
            # After a kill it may be asked about what it has committed.
            assert self.decided.get(number, COMMIT) == COMMIT
            said = self.decided.get(number, bits)
            if said:
                self.case.end_now(message, said, from_transaction_check=True)
                self.decided[number] = said
        self.case.tables.clients.connection_lost(peer)
        self.give_up()

    @rule()
    def restart(self) -> None:
        """Stop the broker, and start it again."""
        self.case.restart()

    @rule()
    def kill(self) -> None:
        """Kill the broker: rollbacks that are not written are forgotten."""
        self.case.tables.save()
        before = self.case.parts.journal.decisions
        self.case.killed()
        after = self.case.parts.journal.decisions
        end = self.case.parts.journal.end
        at = after.next_pending(0, end)
        while at is not None:
            if self.decided.get(at) == ROLLBACK and before.of(at):
                del self.decided[at]
            at = after.next_pending(at + 1, end)

    def give_up(self) -> None:
        """Note what the broker gave up."""
        for each in self.case.messages(TRANS_CHECK_MAX_TIME_TOPIC):
            self.decided.setdefault(int(each.body), 0)

    def compare(self) -> None:
        """Each committed message is there once, and no other."""
        self.give_up()
        consumed = [int(body) for body in self.case.consumed()]
        committed = [n for n, bits in self.decided.items() if bits == COMMIT]
        assert sorted(consumed) == sorted(committed), (consumed, self.decided)


class TransactionMachineTests(Machine.TestCase):  # type: ignore[name-defined, misc]
    """Runs the machine."""

    settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


assert issubclass(TransactionMachineTests, TestCase)
