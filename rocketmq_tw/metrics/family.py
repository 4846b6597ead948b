"""
One metric of the page: its name, its type, and a series for each set of labels.

A series is encoded when its value changes. Its labels are encoded once. What finds no
capacity is remembered, and takes the place of the next series that is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rocketmq_tw.metrics.blocks import Blocks
from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.rows import Rows
from rocketmq_tw.metrics.text import Values, head, labels_text, number
from rocketmq_tw.metrics_settings import DEFAULT_LIMIT

Kind = Literal["counter", "gauge", "histogram"]


class Family:
    """
    The series of one metric.

    :param name: as Prometheus sees it: with its unit, and ``_total`` of a counter.
    :param labels: the names of its labels, besides the common ones.
    :param common: the labels that all series have, encoded.
    :param limit: how many series there may be.
    :ivar left_out: the series for which there was no capacity when they were set last,
        and their values; not more than the limit, so that what waits is bounded too.
    """

    def __init__(
        self,
        name: str,
        kind: Kind,
        help_text: str,
        *,
        labels: Sequence[str] = (),
        common: str = "",
        limit: int = DEFAULT_LIMIT,
        bounds: Sequence[float] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self._head = head(name, kind, help_text)
        self._labels = tuple(labels)
        self._common = common
        self._limit = limit
        self._blocks = Blocks()
        # What the line of a series begins with, up to its number.
        self._starts: dict[Values, bytes] = {}
        self._seen: dict[Values, object] = {}
        self._bounds = [f'le="{float(bound)}"' for bound in bounds]
        self._bounds.append('le="+Inf"')
        self.left_out: dict[Values, float | Histogram] = {}
        self._rows: dict[Rows, None] = {}
        # The series that rows have; others may have none of them.
        self._taken: set[Values] = set()
        self._is_released = False

    def __len__(self) -> int:
        """Return how many series there are."""
        return len(self._blocks) + len(self._taken)

    @property
    def left_out_count(self) -> int:
        """How many series are not on the page."""
        return len(self.left_out) + sum(rows.left_out for rows in self._rows)

    def rows(self, series: Sequence[Values]) -> Rows:
        """Return series whose numbers are set together."""
        made = Rows(self, series)
        self._rows[made] = None
        return made

    def set(self, values: Values, value: float) -> None:
        """Set a series of a counter or gauge to a number."""
        if self._seen.get(values) == value:
            return
        start = self._starts.get(values)
        if start is None:
            if not self._has_capacity(values, value):
                return
            [start] = self.starts_of(values)
            self._starts[values] = start
        self._seen[values] = value
        self._blocks.set(values, b"%b%b\n" % (start, number(value).encode()))

    def set_histogram(self, values: Values, value: Histogram) -> None:
        """Set a series of a histogram to its counts; each is a group of lines."""
        seen = (value.count, value.sum)
        if self._seen.get(values) == seen:
            return
        if values not in self._blocks and not self._has_capacity(values, value):
            return
        self._seen[values] = seen
        numbers = [*value.cumulative(), value.sum, value.count]
        starts = self.starts_of(values)
        lines = [
            b"%b%b\n" % (start, number(each).encode())
            for start, each in zip(starts, numbers, strict=True)
        ]
        self._blocks.set(values, b"".join(lines))

    def remove(self, values: Values) -> None:
        """Remove a series, if there is one; another may take its place."""
        self.left_out.pop(values, None)
        self._blocks.remove(values)
        self._starts.pop(values, None)
        self._seen.pop(values, None)
        while self.left_out and len(self) < self._limit:
            waiting, value = next(iter(self.left_out.items()))
            if isinstance(value, Histogram):
                self.set_histogram(waiting, value)
            else:
                self.set(waiting, value)

    def keep_only(self, wanted: Iterable[Values]) -> None:
        """Remove all other series."""
        kept = set(wanted)
        for values in self.left_out.keys() - kept:
            del self.left_out[values]
        for values in self._seen.keys() - kept:
            self.remove(values)

    def pieces(self) -> list[bytes]:
        """Return the text of this metric; nothing if it has no series."""
        if self._is_released:
            self._admit_rows()
        if not self._rows:
            return [self._head, *self._blocks.joined()] if len(self._blocks) else []
        pieces = [text for rows in self._rows if (text := rows.text())]
        pieces += self._blocks.joined()
        return [self._head, *pieces] if pieces else []

    # -- for rows

    def starts_of(self, values: Values) -> list[bytes]:
        """Return what each line of a series begins with, up to its number."""
        inner, name = self._inner(values), self.name
        alone = f"{{{inner}}}" if inner else ""
        if self.kind != "histogram":
            return [f"{name}{alone} ".encode()]
        more = f"{inner}," if inner else ""
        lines = [f"{name}_bucket{{{more}{bound}}} " for bound in self._bounds]
        lines += [f"{name}_sum{alone} ", f"{name}_count{alone} "]
        return [line.encode() for line in lines]

    def admit(self, wanted: Sequence[Values]) -> list[bool]:
        """
        Return for each series whether there may be it.

        There is none twice: names from the wire may look alike as labels, and would
        spoil the page.
        """
        taken, before = self._taken, len(self._blocks)
        admitted = []
        for values in wanted:
            is_admitted = before + len(taken) < self._limit and values not in taken
            if is_admitted:
                taken.add(values)
            admitted.append(is_admitted)
        return admitted

    def release(self, admitted: Iterable[Values]) -> None:
        """Let others have the places of these series."""
        self._taken.difference_update(admitted)

    def close(self, rows: Rows, admitted: Iterable[Values]) -> None:
        """Forget rows, and let others have their places, on the next page."""
        del self._rows[rows]
        self.release(admitted)
        self._is_released = True

    def _admit_rows(self) -> None:
        """Let rows have the places that others have left."""
        self._is_released = False
        for rows in self._rows:
            if rows.left_out and len(self) < self._limit:
                rows.admit()

    def _inner(self, values: Values) -> str:
        """Return the labels of a series, encoded."""
        assert len(values) == len(self._labels), (self.name, values)
        own = labels_text(zip(self._labels, values, strict=True))
        return ",".join(filter(None, (own, self._common)))

    def _has_capacity(self, values: Values, value: float | Histogram) -> bool:
        """Return whether there may be another series; remember it if not."""
        if len(self) < self._limit:
            self.left_out.pop(values, None)
            return True
        if values in self.left_out or len(self.left_out) < self._limit:
            self.left_out[values] = value
        return False
