"""Rates: the servers are driven in turn, round after round; medians are reported."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.bench.yardstick import Shape, Yardstick


class Row(NamedTuple):
    """What was measured of one shape: for each server the medians."""

    shape: str
    rates: dict[str, float]
    """Messages a second."""
    p99: dict[str, float]
    """Microseconds."""
    ratio: float
    """Median over the rounds of the first server's rate by the second's."""


def measure(
    yardstick: Yardstick,
    shape: Shape,
    ports: Mapping[str, int],
    rounds: int,
    seconds: float,
) -> Row:
    """Drive each server once a round; the one that begins changes every round."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ports}
    order = list(ports)
    for _ in range(rounds):
        for name in order:
            found[name].append(yardstick.drive(shape, ports[name], seconds))
        order.reverse()
    first, second = list(ports)[:2] if len(ports) > 1 else [*ports, *ports]
    ratio = statistics.median(
        a["rate"] / b["rate"] for a, b in zip(found[first], found[second], strict=True)
    )
    return Row(
        shape.name,
        {name: statistics.median(r["rate"] for r in found[name]) for name in ports},
        {name: statistics.median(r["p99"] for r in found[name]) for name in ports},
        ratio,
    )


def table(rows: list[Row]) -> str:
    """Write rows as text: rate (p99) of each server, and the ratio."""
    names = list(rows[0].rates)
    compared = "/".join(names[:2])
    lines = [f"{'shape':16}" + "".join(f"{n:>24}" for n in names) + f"{compared:>16}"]
    for row in rows:
        cells = (f"{row.rates[n]:,.0f} ({row.p99[n]:,.0f} us)" for n in names)
        lines.append(
            f"{row.shape:16}"
            + "".join(f"{c:>24}" for c in cells)
            + f"{row.ratio:>16.2f}"
        )
    return "\n".join(lines)
