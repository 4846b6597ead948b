"""Rates: servers are driven in turn, round after round; medians are reported."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.bench.load import AS_IT_IS, Drive, LoadGenerator, Parameters, Shape
from tests.bench.report import Table, number

APACHE, OURS, FLOOR = "Apache", "ours", "floor"


class Timing(NamedTuple):
    """How often and for how long each server is driven, in seconds."""

    rounds: int
    seconds: float
    warm: float


class Row(NamedTuple):
    """What was measured of one shape: for each server the drives, one a round."""

    shape: str
    drives: dict[str, list[Drive]]

    def median(self, server: str, figure: Callable[[Drive], float]) -> float:
        """Return the median over the rounds."""
        return statistics.median(figure(each) for each in self.drives[server])

    def ratio(self, one: str, other: str, figure: Callable[[Drive], float]) -> float:
        """Return the median over the rounds of one server's figure by the other's."""
        pairs = zip(self.drives[one], self.drives[other], strict=True)
        return statistics.median(figure(a) / max(figure(b), 0.1) for a, b in pairs)


def measure(
    load: LoadGenerator,
    shape: Shape,
    ports: Mapping[str, int],
    *,
    rounds: int,
    seconds: float,
    topic: str,
    parameters: Parameters = AS_IT_IS,
) -> Row:
    """
    Drive each server once a round; the one that begins changes every round.

    :param parameters: how each is driven beside that.
    """
    drives: dict[str, list[Drive]] = {name: [] for name in ports}
    order = list(ports)
    for _ in range(rounds):
        for name in order:
            more = parameters.get(name, {})
            drive = load.drive(shape, ports[name], seconds, topic=topic, **more)
            drives[name].append(drive)
        order.append(order.pop(0))
    return Row(shape.name, drives)


def rate_of(drive: Drive) -> float:
    """Return messages a second."""
    return drive.rate


def p99_of(drive: Drive) -> float:
    """Return the latency that one request of a hundred exceeds, in microseconds."""
    return drive.p99


def pair_table(title: str, kind: str, rows: list[Row]) -> Table:
    """
    Make a table of servers that are driven in two ways.

    :param kind: what ends the name under which a server is driven in the second way:
        see :func:`named`.
    :returns: of each server the rates and p99 of both, and their ratio.
    """
    names = [name for name in rows[0].drives if not name.endswith(f", {kind}")]
    columns = ["shape"]
    for name in names:
        columns += [name, named(name, kind), f"{name}: {kind} / plain"]
    lines = []
    for row in rows:
        cells = [row.shape]
        for name in names:
            second = named(name, kind)
            for each in (name, second):
                rate = number(row.median(each, rate_of))
                p99 = number(row.median(each, p99_of))
                cells.append(f"{rate} ({p99})")
            cells.append(f"{row.ratio(second, name, rate_of):.2f}")
        lines.append(cells)
    note = "Messages a second (p99 in microseconds)."
    return Table(title, columns, lines, note)


def named(name: str, kind: str) -> str:
    """Return the name under which a server is driven in a second way."""
    return f"{name}, {kind}"


def table(title: str, rows: list[Row]) -> Table:
    """
    Make a table: of each server the rate, p50 and p99, then ratios to the first.

    Last stands what the load generator took of a processor, the most of all drives.
    """
    names = list(rows[0].drives)
    first = names[0]
    others = names[1:]
    columns = ["shape", *names]
    columns += [f"{name} / {first}" for name in others]
    columns += [f"p99 {name} / {first}" for name in others[:1]] + ["load's CPU"]
    lines = []
    for row in rows:
        cells = [row.shape]
        for name in names:
            p50 = row.median(name, lambda drive: drive.p50)
            p99 = row.median(name, p99_of)
            rate = number(row.median(name, rate_of))
            cells.append(f"{rate} ({number(p50)}, {number(p99)})")
        cells += [f"{row.ratio(name, first, rate_of):.2f}" for name in others]
        cells += [f"{row.ratio(name, first, p99_of):.2f}" for name in others[:1]]
        cpu = max(drive.cpu for drives in row.drives.values() for drive in drives)
        lines.append([*cells, f"{cpu:.2f}"])
    note = "Messages a second (p50, p99 in microseconds)."
    return Table(title, columns, lines, note)
