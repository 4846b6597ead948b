"""Which brokers are avoided, and for how long."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.producer.faults import ISOLATION, Faults


class FaultsTests(SynchronousTestCase):
    """The faults that one producer has seen."""

    def setUp(self) -> None:
        """Start without any."""
        self.clock = Clock()
        self.faults = Faults(self.clock)

    def avoided_for(self, latency: float) -> float:
        """Give for how many seconds a broker is avoided after a latency."""
        self.faults.succeeded("a", latency)
        start = self.clock.seconds()
        while not self.faults.is_healthy("a"):
            self.clock.advance(0.5)
        return self.clock.seconds() - start

    def test_latencies(self) -> None:
        """The table of Java's ``MQFaultStrategy``, in seconds."""
        table = {0.1: 0, 0.6: 2, 1.9: 5, 3.5: 6, 6: 10, 20: 30}
        self.assertEqual({each: self.avoided_for(each) for each in table}, table)

    def test_failure(self) -> None:
        """A broker that failed is avoided for ten seconds."""
        self.faults.failed("a")
        self.assertTrue(self.faults)
        self.assertFalse(self.faults.is_healthy("a"))
        self.assertTrue(self.faults.is_healthy("b"))
        self.clock.advance(ISOLATION)
        self.assertTrue(self.faults.is_healthy("a"))
        self.assertFalse(self.faults)

    def test_quick_response(self) -> None:
        """One quick response and all is forgiven."""
        self.faults.failed("a")
        self.faults.succeeded("a", 0.01)
        self.assertTrue(self.faults.is_healthy("a"))
