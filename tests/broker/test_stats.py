"""Tests of the broker's counters."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.stats import SAMPLE_PERIOD, BrokerStats

#: Noon of a day in 2026, wherever one is.
NOON = 1_795_348_800.0
DAY = 86_400.0


class BrokerStatsTests(SynchronousTestCase):
    """Counters grow with each message; rates and days are worked out from samples."""

    def setUp(self) -> None:
        """Make counters at a fixed time."""
        self.clock = Clock()
        self.clock.advance(NOON)
        self.stats = BrokerStats(self.clock)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, sampling as the service does."""
        for _ in range(int(seconds / SAMPLE_PERIOD)):
            self.clock.advance(SAMPLE_PERIOD)
            self.stats.sample()

    def test_times(self) -> None:
        """
        Those of a minute are shown once it is over; the longest stay. A batch is one.
        """
        now = self.clock.seconds()
        self.stats.stored(32, 1, now)
        self.stats.stored(1, 1, now + 5.0)  # the clock was set back
        self.stats.stored(1, 1, now - 0.0705)
        self.pass_time(60)
        self.stats.stored(100, 1, self.clock.seconds())
        times = self.stats.put_times
        self.assertIn("[<=0ms]:2 [0~10ms]:0 [10~50ms]:0 [50~100ms]:1 ", times.text())
        self.assertEqual(times.longest_ms, 70)
        for seconds in (0.5, 0.25):
            self.stats.read_took(seconds)
        self.assertEqual(self.stats.longest_read_ms, 500)

    def test_counts(self) -> None:
        """Messages, bytes, hits and misses are added up."""
        self.stats.stored(2, 300, self.clock.seconds())
        self.stats.failed()
        self.stats.fetched(32, 4000)
        self.stats.missed()
        counts = self.stats.counts
        self.assertEqual((counts.messages_in, counts.bytes_in), (2, 300))
        self.assertEqual((counts.messages_out, counts.bytes_out), (32, 4000))
        self.assertEqual((counts.hits, counts.misses, counts.failures), (1, 1, 1))

    def test_rates_of_a_young_broker_begin_at_its_start(self) -> None:
        """Before ten seconds have passed, the time since the start counts."""
        self.assertEqual(self.stats.rates("messages_in"), (0.0, 0.0, 0.0))
        self.clock.advance(5)
        self.stats.stored(100, 1, self.clock.seconds())
        self.assertEqual(self.stats.rates("messages_in"), (20.0, 20.0, 20.0))

    def test_rates_have_three_windows(self) -> None:
        """A burst shows in the long windows when it is over in the short one."""
        self.stats.stored(600, 1, self.clock.seconds())
        self.pass_time(60)
        self.assertEqual(self.stats.rates("messages_in"), (0.0, 10.0, 10.0))
        self.pass_time(540)
        self.assertEqual(self.stats.rates("messages_in"), (0.0, 0.0, 1.0))
        self.pass_time(10)
        self.assertEqual(self.stats.rates("messages_in"), (0.0, 0.0, 0.0))

    def test_rates_add_counters(self) -> None:
        """Several counters are looked at as one."""
        self.stats.fetched(1, 1)
        self.stats.missed()
        self.clock.advance(1)
        self.assertEqual(self.stats.rates("hits", "misses")[0], 2.0)

    def test_days_begin_with_a_sample(self) -> None:
        """The first sample of a new day notes where it began."""
        self.stats.stored(5, 1, self.clock.seconds())
        self.clock.advance(DAY)
        self.stats.sample()
        self.stats.stored(2, 1, self.clock.seconds())
        self.assertEqual(self.stats.this_morning.messages_in, 5)
        self.assertEqual(self.stats.yesterday_morning.messages_in, 0)
        self.clock.advance(DAY)
        self.stats.sample()
        self.assertEqual(self.stats.this_morning.messages_in, 7)
        self.assertEqual(self.stats.yesterday_morning.messages_in, 5)
