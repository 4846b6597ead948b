"""Tests of rocketmq_tw.broker.transactions.rounds."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.rounds import (
    REMEMBERED,
    CheckLimits,
    Due,
    Round,
    Rounds,
    times_before,
)
from rocketmq_tw.model.message import (
    CHECK_IMMUNITY_TIME_IN_SECONDS,
    TRANSACTION_CHECK_TIMES,
)

LIMITS = CheckLimits.of(6000, 15, 72)


class DueTests(SynchronousTestCase):
    """What is done about a half message."""

    def test_by_age(self) -> None:
        """It is asked about once it is older than the timeout."""
        self.assertIs(LIMITS.due(0, None, 0), Due.YOUNG)
        self.assertIs(LIMITS.due(6000, None, 0), Due.YOUNG)
        self.assertIs(LIMITS.due(6001, None, 0), Due.ASK)

    def test_clock_set_back(self) -> None:
        """One from the future is asked about."""
        self.assertIs(LIMITS.due(-1, None, 0), Due.ASK)

    def test_immune(self) -> None:
        """Its own time counts, shorter or longer; others are not held up by it."""
        self.assertIs(LIMITS.due(1000, 1000, 0), Due.IMMUNE)
        self.assertIs(LIMITS.due(1001, 1000, 0), Due.ASK)
        self.assertIs(LIMITS.due(60_000, 90_000, 0), Due.IMMUNE)

    def test_given_up(self) -> None:
        """After the last time, or when messages of its age are deleted."""
        self.assertIs(LIMITS.due(7000, None, 14), Due.ASK)
        self.assertIs(LIMITS.due(7000, None, 15), Due.GIVE_UP)
        self.assertIs(LIMITS.due(72 * 3_600_000 + 1, None, 0), Due.GIVE_UP)

    def test_properties(self) -> None:
        """A time that is no number is the usual one, as minus one is."""
        name = CHECK_IMMUNITY_TIME_IN_SECONDS
        for text, expected in (("30", 30_000), ("x", 6000), ("-1", 6000), ("0", 0)):
            self.assertEqual(LIMITS.immunity_ms({name: text}), expected)
        self.assertIsNone(LIMITS.immunity_ms({}))
        self.assertEqual(times_before({TRANSACTION_CHECK_TIMES: "3"}), 3)
        self.assertEqual(times_before({TRANSACTION_CHECK_TIMES: "\u0663x"}), 0)
        self.assertEqual(times_before({}), 0)


class RoundsTests(SynchronousTestCase):
    """How often a half message was asked about."""

    def test_by_what_they_passed(self) -> None:
        """Each round counts for those that it passed, and that were old enough."""
        rounds = Rounds()
        rounds.add(Round(1000, 0, 10))
        rounds.add(Round(2000, 0, 20))
        self.assertEqual(rounds.times(9, 0), 2)
        self.assertEqual(rounds.times(10, 0), 1)
        self.assertEqual(rounds.times(9, 1000), 1)
        self.assertEqual(rounds.times(20, 0), 0)

    def test_parts(self) -> None:
        """A round that took too long is two: each half message was passed once."""
        rounds = Rounds()
        rounds.add(Round(1000, 0, 10))
        rounds.add(Round(2000, 10, 20))
        self.assertEqual((rounds.times(5, 0), rounds.times(15, 0)), (1, 1))

    def test_bounded(self) -> None:
        """Rounds that have passed nothing, or only what is decided, are forgotten."""
        rounds = Rounds()
        rounds.add(Round(0, 5, 5))
        self.assertEqual(len(rounds), 0)
        for began in range(REMEMBERED + 5):
            rounds.add(Round(began, 0, 10))
        self.assertEqual(len(rounds), REMEMBERED)
        rounds.forget_before(9)
        self.assertEqual(len(rounds), REMEMBERED)
        rounds.forget_before(10)
        self.assertEqual(len(rounds), 0)
