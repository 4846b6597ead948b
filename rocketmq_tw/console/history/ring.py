"""Samples of the last hours: a ring for each line of a plot."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable

import msgspec


class Line(msgspec.Struct, frozen=True):
    """
    One line of a plot.

    :ivar times: in ms since the epoch, ascending.
    """

    name: str
    times: tuple[int, ...]
    values: tuple[float, ...]


class Ring:
    """
    The last samples of one line.

    :param capacity: how many are kept.
    """

    def __init__(self, capacity: int) -> None:
        self._times = array("q", bytes(8 * capacity))
        self._values = array("d", bytes(8 * capacity))
        # 0 <= _count <= capacity; the next sample goes to _next.
        self._next = 0
        self._count = 0

    def add(self, time_ms: int, value: float) -> None:
        """Add a sample; the oldest one gives way."""
        self._times[self._next] = time_ms
        self._values[self._next] = value
        self._next = (self._next + 1) % len(self._times)
        self._count = min(self._count + 1, len(self._times))

    @property
    def last(self) -> float | None:
        """The last sample; None if there is none."""
        return self._values[self._next - 1] if self._count else None

    def line(self, name: str, since_ms: int = 0) -> Line:
        """Return the samples since a time."""
        capacity = len(self._times)
        first = self._next - self._count
        kept = [
            at % capacity
            for at in range(first, self._next)
            if self._times[at % capacity] >= since_ms
        ]
        return Line(
            name,
            tuple(self._times[at] for at in kept),
            tuple(self._values[at] for at in kept),
        )


class Rings:
    """
    Rings by name; past a number of names, the one that was used least lately gives way.

    :param most: how many names.
    :param capacity: samples of each.
    """

    def __init__(self, most: int, capacity: int) -> None:
        self._most = most
        self._capacity = capacity
        # At most as many as may be; the least lately used first.
        self._rings: OrderedDict[str, Ring] = OrderedDict()

    def add(self, name: str, time_ms: int, value: float) -> None:
        """Add a sample to a line."""
        ring = self._rings.get(name)
        if ring is None:
            while len(self._rings) >= self._most:
                self._rings.popitem(last=False)
            ring = self._rings[name] = Ring(self._capacity)
        self._rings.move_to_end(name)
        ring.add(time_ms, value)

    def last(self, name: str) -> float | None:
        """Return the last sample of a line; None if there is none."""
        ring = self._rings.get(name)
        return None if ring is None else ring.last

    def lines(self, since_ms: int = 0) -> tuple[Line, ...]:
        """Return all lines, by name."""
        names = sorted(self._rings)
        return tuple(self._rings[name].line(name, since_ms) for name in names)

    def line(self, name: str, since_ms: int = 0) -> Line:
        """Return one line; without samples if it is not known."""
        ring = self._rings.get(name)
        return Line(name, (), ()) if ring is None else ring.line(name, since_ms)

    def top(self, count: int) -> Iterable[str]:
        """Return the names of the lines whose last samples are largest."""
        return sorted(
            self._rings, key=lambda name: (-(self._rings[name].last or 0), name)
        )[:count]
