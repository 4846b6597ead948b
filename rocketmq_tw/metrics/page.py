"""
The page: all metrics of a program, collected in steps.

Whoever asks while it is being collected gets what that finds, and a page younger than
:data:`FRESH`, or than a setting says, is given again: however many ask, the work stays
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.metrics.family import Family, Kind
from rocketmq_tw.metrics.text import labels_text
from rocketmq_tw.metrics_settings import DEFAULT_LIMIT
from rocketmq_tw.remoting.pacing import Pacer, Steps

#: Seconds for which a page is given again.
FRESH = 0.25
#: Pieces of text that are made in one step at least: some 0.5 ms.
PIECES = 64
#: Looks at the tables of a part and sets its families, in steps.
Collect = Callable[[], Steps[None]]


class Page:
    """
    The metrics of a program.

    :param clock: measures the age of the page, and gives its steps their turn.
    :param limit: how many series each metric may have.
    :param interval: seconds for which a page is given again.
    :ivar scrapes: how often it was collected.
    """

    _log = Logger()

    def __init__(
        self, clock: Any, limit: int = DEFAULT_LIMIT, interval: float = FRESH
    ) -> None:
        self._clock = clock
        self._interval = max(FRESH, interval)
        self._limit = limit
        self._pacer = Pacer(clock)
        self._families: dict[str, list[Family]] = {}
        self._collectors: list[Collect] = []
        self._pieces: list[bytes] = []
        self._made_at: float | None = None
        self._is_collecting = False
        self._waiting: list[Deferred[list[bytes]]] = []
        self.scrapes = 0
        # Not among the others, as it is known only after them.
        self._left_out = Family(
            "rocketmq_metrics_series_left_out",
            "gauge",
            "Series that are not on this page, as their metric has too many",
            labels=("metric",),
        )

    def family(
        self,
        name: str,
        kind: Kind,
        help_text: str,
        *,
        labels: Sequence[str] = (),
        common: Sequence[tuple[str, str]] = (),
        bounds: Sequence[float] = (),
    ) -> Family:
        """
        Add a metric, or the part of one that has other common labels.

        :param common: labels that all its series have.
        :param bounds: those of a histogram.
        """
        made = Family(
            name,
            kind,
            help_text,
            labels=labels,
            common=labels_text(common),
            limit=self._limit,
            bounds=bounds,
        )
        self._families.setdefault(name, []).append(made)
        return made

    @property
    def names(self) -> set[str]:
        """The names of all series that there may be."""
        found: set[str] = {self._left_out.name}
        for name, [first, *_] in self._families.items():
            if first.kind == "histogram":
                found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
            else:
                found.add(name)
        return found

    def add(self, collect: Collect) -> None:
        """Call a function for each page."""
        self._collectors.append(collect)

    def remove(self, collect: Collect) -> None:
        """Call it no more: its part has stopped. What it set last stays."""
        if collect in self._collectors:
            self._collectors.remove(collect)

    def forget(self, families: Sequence[Family]) -> None:
        """Remove metrics of a part that has stopped."""
        for family in families:
            known = self._families.get(family.name, [])
            if family in known:
                known.remove(family)
            if not known:
                self._families.pop(family.name, None)

    def collect(self) -> Deferred[list[bytes]]:
        """
        Collect all metrics.

        :returns: fires with the pieces of the page.
        """
        now = self._clock.seconds()
        if self._made_at is not None and now - self._made_at < self._interval:
            return succeed(self._pieces)
        waiting: Deferred[list[bytes]] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        if not self._is_collecting:
            self._is_collecting = True
            done = self._pacer.run(self._steps(), None, key=self)
            if isinstance(done, Deferred):
                done.addErrback(self._failed).addCallback(self._respond)
            else:
                self._respond(None)
        return waiting

    def stop(self) -> None:
        """Collect no more."""
        self._pacer.stop()
        self._is_collecting = False
        for each in list(self._waiting):
            each.cancel()

    def _steps(self) -> Steps[None]:
        """Let each part collect; one that fails does not hinder the others."""
        for collect in list(self._collectors):
            try:
                yield from collect()
            except Exception:
                self._log.failure("some metrics could not be collected")
            yield None
        pieces: list[bytes] = []
        made = 0
        for families in list(self._families.values()):
            pieces += self._pieces_of(families)
            if len(pieces) >= made + PIECES:
                made = len(pieces)
                yield None
        pieces += self._pieces_of([self._left_out])
        self._pieces = pieces

    def _pieces_of(self, families: list[Family]) -> list[bytes]:
        """Return the text of a metric, whose parts share one head."""
        pieces: list[bytes] = []
        for family in families:
            count = family.left_out_count
            if count or len(self._left_out):
                self._left_out.set((family.name,), count)
            more = family.pieces()
            pieces += more[1:] if pieces else more
        return pieces

    def _respond(self, _: object) -> None:
        """Give the page to all who wait."""
        self.scrapes += 1
        self._made_at = self._clock.seconds()
        self._is_collecting = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(self._pieces)

    def _failed(self, failure: Failure) -> None:
        """Log a failure; the page stays as it was."""
        self._log.failure("the page of metrics could not be made", failure)
