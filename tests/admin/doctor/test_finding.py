"""Findings and their words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.doctor.finding import FAULTS, Severity, finding


class FindingTests(SynchronousTestCase):
    """Each fault has a word and a severity."""

    def test_severity(self) -> None:
        """It is that of the fault; notes are no faults."""
        found = finding("no-brokers", "a:1", "none")
        self.assertEqual((found.severity, found.is_fault), (Severity.FAULT, True))
        self.assertFalse(finding("versions-differ", "brokers", "x").is_fault)
        self.assertGreaterEqual(len(FAULTS), 12)
