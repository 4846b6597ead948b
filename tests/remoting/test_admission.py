"""Tests of :mod:`rocketmq_tw.remoting.admission`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.admission import Admission


class AdmissionTests(SynchronousTestCase):
    """Who is let in."""

    def test_in_all(self) -> None:
        """Past the limit the reason names the setting; a place that is freed counts."""
        admission = Admission(2, 2)
        self.assertIsNone(admission.admit("10.0.0.1"))
        self.assertIsNone(admission.admit("10.0.0.2"))
        self.assertIn("maxConnections", admission.admit("10.0.0.3") or "")
        self.assertEqual((admission.count, admission.refused), (2, 1))
        admission.release("10.0.0.1")
        self.assertIsNone(admission.admit("10.0.0.3"))

    def test_one_address(self) -> None:
        """One address takes no more than half; others are still let in."""
        admission = Admission(10)
        reasons = [admission.admit("10.0.0.1") for _ in range(6)]
        self.assertEqual(reasons[:5], [None] * 5)
        self.assertIn("maxConnectionsPerAddress", reasons[5] or "")
        self.assertIsNone(admission.admit("10.0.0.2"))

    def test_no_address(self) -> None:
        """Connections over UNIX sockets have no address; their sum is limited."""
        admission = Admission(3)
        self.assertEqual([admission.admit("") for _ in range(3)], [None] * 3)
        self.assertIsNotNone(admission.admit(""))

    def test_unlimited(self) -> None:
        """Without a limit everybody is let in, and nothing is left of who went."""
        admission = Admission()
        for _ in range(1000):
            self.assertIsNone(admission.admit("10.0.0.1"))
        for _ in range(1000):
            admission.release("10.0.0.1")
        self.assertEqual(admission.count, 0)
