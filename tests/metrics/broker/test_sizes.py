"""How large messages are."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker.sizes import BOUNDS, size_buckets, small_numbers


class SizesTests(SynchronousTestCase):
    """The numbers of a histogram."""

    def test_bounds(self) -> None:
        """They are those of Apache RocketMQ."""
        kib, mib = 1024, 1024 * 1024
        expected = (kib, 4 * kib, 512 * kib, mib, 2 * mib, 4 * mib)
        self.assertEqual(BOUNDS, expected)

    def test_small(self) -> None:
        """Where nothing is large, all is in the first bucket."""
        found = small_numbers([5, 0], [700, 0])
        self.assertEqual(found, [5] * 7 + [700, 5] + [0] * 9)

    def test_larger(self) -> None:
        """The buckets of all queues are added up, and cumulative."""
        larger = [[1, 0, 0, 0, 0, 0], None, [1, 0, 2, 0, 0, 1]]
        self.assertEqual(size_buckets(9, larger), [4, 6, 6, 8, 8, 8, 9])
