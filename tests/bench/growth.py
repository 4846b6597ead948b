"""
Growth: how fast messages are sent while something grows, and how long the worst waits.

One server runs for each size, and they are driven in turn. Everything should be flat: a
rate that falls, or a wait that grows, is work that every message or every second pays
for what is only kept.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import servers
from tests.bench.axes import Axis, Start, axes
from tests.bench.load import Drive, LoadGenerator, Shape
from tests.bench.report import Table
from tests.bench.running import Running, folder, stopping

NAMES = tuple(axes(1))
SHAPE = Shape("16 x 1, 1 KiB", "send", 16, 1)
#: For each size of an axis the drives of one server, one a round.
Drives = dict[float, list[Drive]]


def measure_axis(
    axis: Axis,
    points: Sequence[float],
    start: Start,
    load: LoadGenerator,
    *,
    rounds: int,
    seconds: float,
    warm: float = 0.5,
) -> Drives:
    """Drive a server of each size; the order changes every round."""
    drives: Drives = {point: [] for point in points}
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        running: dict[float, Running] = {}
        for point in points:
            store = scratch / f"{point}"
            axis.prepare(store, point, start, load)
            running[point] = stack.enter_context(stopping(start(store)))
            load.drive(SHAPE, running[point].port, warm, **axis.more(point))
        for point, server in running.items():
            stack.enter_context(axis.hold(server, point, load))
        order = list(points)
        for _ in range(rounds):
            for point in order:
                port, more = running[point].port, axis.more(point)
                drives[point].append(load.drive(SHAPE, port, seconds, **more))
            order.reverse()
    return drives


def start_ours(store: Path) -> Running:
    """Start our broker on a store."""
    return servers.ours(store, conf={"defaultTopicQueueNums": 4})


def table(axis: Axis, found: dict[str, Drives]) -> Table:
    """Make the table of one axis: for each server the rate, p99 and worst wait."""
    columns = [axis.name]
    for server in found:
        columns += [f"{server}, rate", "to the first", "p99, ms", "worst, ms"]
    sizes = next(iter(found.values()))
    rows = [[f"{size:,}"] for size in sizes]
    for drives in found.values():
        first = _rates(drives[next(iter(sizes))])
        for row, size in zip(rows, sizes, strict=True):
            some = drives.get(size)
            if some is None:
                row += ["-"] * 4
                continue
            rate = _rates(some)
            p99 = statistics.median(drive.p99 for drive in some) / 1e3
            worst = max(drive.worst for drive in some) / 1e3
            row += [f"{rate:,.0f}", f"{rate / first:.2f}", f"{p99:.2f}", f"{worst:.1f}"]
    note = f"Sends of {SHAPE.name}, beside growing {axis.name}."
    return Table(f"Growth: {axis.name}", columns, rows, note)


def _rates(drives: Sequence[Drive]) -> float:
    return statistics.median(drive.rate for drive in drives)
