"""A histogram in plain integers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.histogram import Histogram


class HistogramTests(SynchronousTestCase):
    """What is counted where."""

    def test_bounds(self) -> None:
        """A value that equals a bound is in its bucket; a larger one in the next."""
        histogram = Histogram((1, 10))
        for value in (0, 1, 1.5, 10, 11):
            histogram.add(value)
        self.assertEqual(list(histogram.cumulative()), [2, 4, 5])
        self.assertEqual((histogram.count, histogram.sum), (5, 23.5))

    def test_several(self) -> None:
        """Equal values are counted at once."""
        histogram = Histogram((1, 10))
        histogram.add(2, 32)
        self.assertEqual(list(histogram.cumulative()), [0, 32, 32])
        self.assertEqual((histogram.count, histogram.sum), (32, 64))

    def test_counts(self) -> None:
        """Those that another has counted are added."""
        histogram = Histogram((1, 10))
        histogram.add(2)
        histogram.add_counts([1, 2, 3], 50)
        self.assertEqual(list(histogram.cumulative()), [1, 4, 7])
        self.assertEqual((histogram.count, histogram.sum), (7, 52))
