"""
A histogram with fixed bounds, in plain integers.

On the path of requests: to count one takes a search among ten bounds and two additions,
0.15 us.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate


class Histogram:
    """
    How often something was how large.

    :param bounds: the largest values of each bucket, ascending; one more has all that
        is larger.
    :ivar sum: of all values.
    """

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self.sum: float = 0

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def add(self, value: float, count: int = 1) -> None:
        """Count a value, or several that are equal."""
        self._counts[bisect_left(self._bounds, value)] += count
        self.sum += value * count

    def add_counts(self, counts: Sequence[int], total: float) -> None:
        """
        Count many values.

        :param counts: how many of them belong into each bucket.
        :param total: their sum.
        """
        for bucket, count in enumerate(counts):
            self._counts[bucket] += count
        self.sum += total

    def cumulative(self) -> Iterator[int]:
        """Return for each bound how many were not larger, and at last how many were."""
        return accumulate(self._counts)
