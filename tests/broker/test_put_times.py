"""Tests of how long it took to store messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.put_times import PutTimes


class PutTimesTests(SynchronousTestCase):
    """What tools are shown of the last minute."""

    def setUp(self) -> None:
        """Have no times yet."""
        self.times = PutTimes()

    def counts(self) -> list[int]:
        """Return the numbers of what is shown."""
        parts = self.times.text().split()
        return [int(each.rpartition(":")[2]) for each in parts]

    def test_form(self) -> None:
        """Thirteen times, each in brackets, as exporters split them."""
        self.assertEqual(
            self.times.text(),
            "[<=0ms]:0 [0~10ms]:0 [10~50ms]:0 [50~100ms]:0 [100~200ms]:0 "
            "[200~500ms]:0 [500ms~1s]:0 [1~2s]:0 [2~3s]:0 [3~4s]:0 [4~5s]:0 "
            "[5~10s]:0 [10s~]:0 ",
        )
        self.assertEqual(self.times.percentile(0.99), 0.0)

    def test_bounds(self) -> None:
        """A time at a bound belongs to what begins there."""
        self.times.quick += 7
        bounds = (1, 10, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 10_000)
        for at, bound in enumerate(bounds):
            self.times.add(at + 1, bound / 1000 + 0.0001)
            self.times.add(100, bound / 1000 + 0.0009)
        self.assertEqual(self.counts(), [7, *(101 + at for at in range(12))])
        self.assertEqual(self.times.longest_ms, 10_000)

    def test_below(self) -> None:
        """One just below belongs to what ends there."""
        for bound in (10, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 10_000):
            self.times.add(1, bound / 1000 - 0.0001)
        self.assertEqual(self.counts(), [0, *[1] * 11, 0])

    def test_minute(self) -> None:
        """Once a minute has ended, its figures are shown, and the next are counted."""
        self.times.add(3, 0.02)
        self.times.roll()
        self.times.quick += 50
        self.assertEqual(self.counts()[:3], [0, 0, 3])
        self.times.roll()
        self.assertEqual(self.counts()[:3], [50, 0, 0])
        self.times.roll()
        self.assertEqual(sum(self.counts()), 0)
        self.assertEqual(self.times.longest_ms, 20)

    def test_percentiles(self) -> None:
        """Between the bounds of a bucket they are interpolated."""
        self.times.quick += 980
        self.times.add(19, 0.0205)
        self.times.add(1, 30.0)
        self.assertAlmostEqual(self.times.percentile(0.5), 500 / 980)
        self.assertAlmostEqual(self.times.percentile(0.99), 20 + 2 * 10 / 19)
        self.assertAlmostEqual(self.times.percentile(0.999), 22.0)
        self.assertAlmostEqual(self.times.percentile(1.0), 30_000.0)
