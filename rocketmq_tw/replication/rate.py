"""How many bytes pass in a second, and how many may."""

from __future__ import annotations


class Rate:
    """
    Counts the bytes of the current second and of the one before.

    :param limit: bytes that may pass in a second; None for any number.
    """

    # _second is the second that _count belongs to; _last is that of the one before.

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._second = 0
        self._count = 0
        self._last = 0

    def add(self, size: int, now: float) -> None:
        """Count bytes."""
        self._begin(int(now))
        self._count += size

    def per_second(self, now: float) -> int:
        """Return how many bytes passed in the last whole second."""
        self._begin(int(now))
        return self._last

    def allowed(self, wanted: int, now: float) -> int:
        """Return how many of ``wanted`` bytes may pass before the second ends."""
        if self._limit is None:
            return wanted
        self._begin(int(now))
        return max(0, min(wanted, self._limit - self._count))

    def _begin(self, second: int) -> None:
        """Begin another second, if that is due."""
        if second == self._second:
            return
        self._last = self._count if second == self._second + 1 else 0
        self._second, self._count = second, 0
