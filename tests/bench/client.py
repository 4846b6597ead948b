"""
How fast our client is, and Apache's Java client, against the same broker.

Each client is a process of its own, which measures itself: rate, latencies, and the CPU
time of the whole process. The Java client is compiled by C2 and collected by G1, as
users run it, and is warmed for longer.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.report import Table, number

ROOT = Path(__file__).parents[2]

#: The Java release of the client, as in ``tests.interop.apache``.
RELEASE = "v55"
#: Seconds of warm-up that are not counted, by make.
WARM = {"ours": 2.0, "apache": 15.0}
#: Messages of the topic that the shape "push" consumes.
PUSH_COUNT = 200_000

_JVM = ("-Xms256m", "-Xmx1g", "-XX:+UseG1GC")
_numbers = itertools.count(1)


class Shape(NamedTuple):
    """
    What a client does.

    :ivar name: as in the table.
    :ivar options: of the program, beside the ones that all shapes have.
    :ivar confined: whether the client has one processor only.
    """

    name: str
    options: dict[str, str]
    confined: bool = False


_PUSH = {"shape": "push", "count": str(PUSH_COUNT)}
_END_TO_END = {"shape": "end-to-end"}
SHAPES = (
    Shape("send, 1 in flight", {"shape": "send", "depth": "1"}),
    Shape("send, 32 in flight", {"shape": "send", "depth": "32"}),
    Shape("push consumer", _PUSH),
    Shape("push consumer, one processor", _PUSH, confined=True),
    Shape("end to end, 1,000/s", _END_TO_END),
    Shape("end to end, 1,000/s, one processor", _END_TO_END, confined=True),
    Shape("first send, new topic", {"shape": "first", "count": "10"}),
)


class Measured(NamedTuple):
    """
    What one run of a client measured.

    :ivar rate: messages a second.
    :ivar cpu: microseconds of the client's CPU time a message.
    :ivar p50: microseconds; 0 where no latency is measured.
    :ivar p99: microseconds.
    """

    rate: float
    cpu: float
    p50: float
    p99: float


class Row(NamedTuple):
    """What was measured of one shape: the medians, by make."""

    shape: str
    medians: dict[str, Measured]


def measure(
    shape: Shape,
    make: str,
    name_server: str,
    scratch: Path,
    *,
    seconds: float = 5.0,
    warm: float | None = None,
) -> Measured:
    """
    Run one client once.

    :param make: ``ours`` or ``apache``.
    :param name_server: its address; a broker is registered with it, which creates
        topics by their first message.
    :param warm: seconds before, not counted; default: see :data:`WARM`.
    """
    topic = f"Bench_{make}_{next(_numbers)}"
    warm = WARM[make] if warm is None else warm
    common = {
        "namesrv": name_server,
        "topic": topic,
        "seconds": str(seconds),
        "warm": str(warm),
    }
    if shape.options["shape"] == "push":
        _run("ours", {**common, **shape.options, "shape": "fill"}, scratch)
    return _run(make, {**common, **shape.options}, scratch, shape.confined)


def compare(
    name_server: str,
    scratch: Path,
    *,
    makes: Sequence[str] = ("ours", "apache"),
    shapes: Iterable[Shape] = SHAPES,
    rounds: int = 5,
    seconds: float = 5.0,
    warm: float = WARM["apache"],
) -> list[Row]:
    """
    Run the clients in turn; the one that begins changes every round.

    :param warm: seconds for which Java compiles before it is measured.
    """
    warms = {**WARM, "apache": warm}
    rows = []
    for shape in shapes:
        found: dict[str, list[Measured]] = {make: [] for make in makes}
        order = list(makes)
        for _ in range(rounds):
            for make in order:
                once = measure(
                    shape,
                    make,
                    name_server,
                    scratch,
                    seconds=seconds,
                    warm=min(warms[make], warm),
                )
                found[make].append(once)
            order.reverse()
        medians = {
            make: Measured(*map(statistics.median, zip(*runs, strict=True)))
            for make, runs in found.items()
        }
        rows.append(Row(shape.name, medians))
    return rows


def table(rows: list[Row]) -> Table:
    """Make a table: of each client rate, CPU of a message, p50 and p99."""
    makes = list(rows[0].medians)
    columns = ["client"]
    for make in makes:
        columns += [f"{make}, rate", "CPU", "p50", "p99"]
    first, last = makes[0], makes[-1]
    if first != last:
        columns.append(f"rate {last} / {first}")
    lines = []
    for row in rows:
        cells = [row.shape]
        for each in row.medians.values():
            cells += [f"{each.rate:,.0f}", f"{each.cpu:.1f}"]
            cells += [number(each.p50), number(each.p99)]
        if first != last:
            ratio = row.medians[last].rate / row.medians[first].rate
            cells.append(f"{ratio:.2f}")
        lines.append(cells)
    note = (
        "Either client with our broker: messages a second; microseconds of the"
        " client's CPU for a message; latencies in microseconds."
    )
    return Table("Clients", columns, lines, note)


def _run(
    make: str, options: dict[str, str], scratch: Path, confined: bool = False
) -> Measured:
    """Run a program and read its JSON line."""
    words = [text for name, value in options.items() for text in (f"--{name}", value)]
    start = start_of(make, scratch)
    if confined:
        start = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), *start]
    done = subprocess.run(
        [*start, *words], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0 and lines, f"{done.stdout}{done.stderr}"[-4000:]
    found = json.loads(lines[-1])
    count = max(found["count"], 1)
    return Measured(
        found["count"] / found["seconds"],
        found["cpu"] / count * 1e6,
        found["p50"],
        found["p99"],
    )


def start_of(make: str, scratch: Path) -> list[str]:
    """Return the start of a program's command; compile Apache's if needed."""
    if make == "ours":
        return [sys.executable, "-m", "tests.bench.client_program"]
    from tests.interop import apache

    apache.build()
    classes = apache.class_path(RELEASE)
    home = f"-Duser.home={scratch}"
    return ["java", *_JVM, home, "-cp", classes, "org.example.interop.MeasureClient"]
