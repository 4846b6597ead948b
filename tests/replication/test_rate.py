"""Tests of the bytes of a second."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.rate import Rate


class RateTests(SynchronousTestCase):
    """What passed, and what may."""

    def test_last_second(self) -> None:
        """The count of a second is known when it is over, for one second."""
        rate = Rate()
        rate.add(10, 5.0)
        rate.add(5, 5.9)
        self.assertEqual(rate.per_second(5.9), 0)
        self.assertEqual(rate.per_second(6.0), 15)
        self.assertEqual(rate.per_second(7.0), 0)

    def test_limit(self) -> None:
        """What is left of a second's bytes."""
        rate = Rate(100)
        self.assertEqual(rate.allowed(70, 1.0), 70)
        rate.add(70, 1.0)
        self.assertEqual(rate.allowed(70, 1.5), 30)
        rate.add(30, 1.5)
        self.assertEqual(rate.allowed(1, 1.9), 0)
        self.assertEqual(rate.allowed(500, 2.0), 100)
        self.assertEqual(Rate().allowed(500, 0.0), 500)
