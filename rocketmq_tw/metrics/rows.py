"""
Series whose numbers are set together, many in one step.

Where thousands of series change from page to page, to set one after another costs more
than their text. *Rows* keep some hundred series as one template, into which all
numbers are put by one operation: below 0.1 us for a line. What keeps rows works on
*chunks* of its tables, and computes the numbers of a whole chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, compress, repeat
from typing import Protocol

from rocketmq_tw.metrics.text import Values


class RowsOwner(Protocol):
    """What rows ask their metric."""

    def starts_of(self, values: Values) -> list[bytes]:
        """Return what each line of a series begins with, up to its number."""

    def admit(self, wanted: Sequence[Values]) -> list[bool]:
        """Return for each series whether there may be it."""

    def release(self, admitted: Iterable[Values]) -> None:
        """Let others have the places of these series."""

    def close(self, rows: Rows, admitted: Iterable[Values]) -> None:
        """Forget rows, and let others have their places."""


class Rows:
    """
    Some series of one metric, which have whole numbers.

    A histogram has several lines, and so many numbers, for each.

    :param series: the values of their labels.
    :ivar left_out: how many of them are not on the page.
    """

    # _template has a "%d" for each line of a series that is admitted.

    __slots__ = (
        "_admitted",
        "_numbers",
        "_owner",
        "_series",
        "_template",
        "_text",
        "left_out",
    )

    def __init__(self, owner: RowsOwner, series: Sequence[Values]) -> None:
        self._owner = owner
        self._series = series
        self._numbers: Sequence[int] = ()
        self._text: bytes | None = b""
        self._admitted: list[bool] = []
        self._template = b""
        self.left_out = 0
        self.admit()

    def admit(self) -> None:
        """Look which series there may be, and make their template."""
        owner = self._owner
        owner.release(compress(self._series, self._admitted))
        self._admitted = owner.admit(self._series)
        self.left_out = self._admitted.count(False)
        self._template = b"".join(
            start.replace(b"%", b"%%") + b"%d\n"
            for values in compress(self._series, self._admitted)
            for start in owner.starts_of(values)
        )
        self._text = None if self._numbers else b""

    def set(self, numbers: Sequence[int]) -> None:
        """Set the numbers of all series, in their order; the list is kept."""
        if numbers != self._numbers:
            assert len(numbers) % len(self._series) == 0, self._series
            self._numbers = numbers
            self._text = None

    def text(self) -> bytes:
        """Return the lines; none until numbers were set."""
        if self._text is None:
            numbers = self._numbers
            if self.left_out:
                lines = len(numbers) // len(self._series)
                kept = chain.from_iterable(map(repeat, self._admitted, repeat(lines)))
                numbers = list(compress(numbers, kept))
            self._text = self._template % tuple(numbers)
        return self._text

    def close(self) -> None:
        """Remove the series."""
        admitted, self._admitted = self._admitted, []
        self._owner.close(self, compress(self._series, admitted))
