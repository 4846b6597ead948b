"""Tests of rocketmq_tw.client.transactions.verdict."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.transactions.verdict import (
    COMMIT,
    ROLLBACK,
    UNKNOWN,
    Verdict,
    verdict_of,
)


class VerdictTests(SynchronousTestCase):
    """What an application returns."""

    def test_accepted(self) -> None:
        """The three verdicts, and None for no verdict."""
        for verdict in Verdict:
            self.assertIs(verdict_of(verdict), verdict)
        self.assertIs(verdict_of(None), UNKNOWN)
        self.assertEqual((COMMIT, ROLLBACK, UNKNOWN), (8, 12, 0))

    def test_refused(self) -> None:
        """Anything else: a True may mean anything."""
        for value in (True, 8, "COMMIT"):
            self.assertRaises(TypeError, verdict_of, value)
