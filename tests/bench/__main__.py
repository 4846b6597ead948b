"""``python -m tests.bench``: see :mod:`tests.bench`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from tests.bench import (
    acl,
    apache,
    client,
    growth,
    machine,
    pop,
    rates,
    replication,
    reply,
    rest,
    servers,
    timers,
    tls,
    transactions,
)
from tests.bench.apache import ApacheBroker
from tests.bench.axes import axes
from tests.bench.load import PULLS, SENDS, LoadGenerator, Shape
from tests.bench.rates import APACHE, OURS
from tests.bench.report import Report
from tests.bench.running import Running, folder, stopping
from tests.bench.sides import sides, warm
from tests.interop.apache import build

PARTS = ("send", "pull", "sync", "replication", "client", "growth", "rest")
#: Measured only when they are asked for; the first two need OpenSSL's headers.
ASKED_FOR = {
    "tls": tls.table,
    "acl": acl.table,
    "pop": pop.table,
    "transactions": transactions.table,
    "timers": timers.table,
    "reply": reply.table,
}
#: What an empty slave copies, of one file of the log.
TO_COPY = 1000 << 20
#: Messages that are read again and again; 370 MB.
TO_PULL = 300_000
TOPIC, PULLED = "Bench", "BenchPull"

S = TypeVar("S", Shape, client.Shape)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--apache", nargs="?", const="v55", metavar="v55", help="compare with Apache's")
    known = (*PARTS, *ASKED_FOR)
    add("--only", nargs="+", choices=known, default=PARTS, metavar="PART")
    add("--shapes", nargs="+", default=[], metavar="64x1", help="only these of each")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=3.0, help="of each drive")
    add("--warm", type=float, default=15.0, help="seconds for each start of Apache's")
    add("--growth", nargs="+", choices=growth.NAMES, default=growth.NAMES)
    add("--store-gib", type=float, default=2.0, help="the largest store that grows")
    add("--scale", type=float, default=1.0, help="of the other sizes")
    add("--write", type=Path, metavar="FILE", help="write the tables as reST")
    return parser.parse_args()


def chosen(shapes: Sequence[S], names: Sequence[str]) -> list[S]:
    """Return the shapes whose names begin with one of some, blanks aside."""
    return [
        shape
        for shape in shapes
        if not names
        or shape.name.removeprefix("pull").replace(" ", "").startswith(tuple(names))
    ]


def measure_rates(asked: argparse.Namespace, load: LoadGenerator, out: Report) -> None:
    """Measure sends with either way to flush, and pulls."""
    for part, flush in (("send", "ASYNC_FLUSH"), ("sync", "SYNC_FLUSH")):
        is_sync = part == "sync"
        sends = chosen(SENDS, asked.shapes) if part in asked.only else []
        reads = "pull" in asked.only and not is_sync
        pulls = chosen(PULLS, asked.shapes) if reads else []
        if not sends and not pulls:
            continue
        os.sync()
        with sides(asked.apache, is_sync=is_sync) as running:
            ports = {name: server.port for name, server in running.items()}
            if sends:
                warm(load, ports, sends, asked.warm, TOPIC)
                rows = [_measure(asked, load, shape, ports, TOPIC) for shape in sends]
                out.add(rates.table(f"Sends, {flush}", rows))
            if pulls:
                for port in ports.values():
                    load.fill(port, max(1000, int(TO_PULL * asked.scale)), PULLED)
                warm(load, ports, pulls, asked.warm, PULLED)
                rows = [_measure(asked, load, shape, ports, PULLED) for shape in pulls]
                out.add(rates.table("Pulls of 1 KiB", rows))


def _measure(
    asked: argparse.Namespace,
    load: LoadGenerator,
    shape: Shape,
    ports: dict[str, int],
    topic: str,
) -> rates.Row:
    """Measure one shape."""
    return rates.measure(
        load, shape, ports, rounds=asked.rounds, seconds=asked.seconds, topic=topic
    )


def measure_replication(
    asked: argparse.Namespace, load: LoadGenerator, out: Report
) -> None:
    """Measure masters with a slave."""
    timing = rates.Timing(asked.rounds, asked.seconds, asked.warm)
    size = int(TO_COPY * asked.scale)
    shapes = chosen(SENDS, asked.shapes)
    for table in replication.tables(asked.apache, size, load, timing, shapes):
        out.add(table)


def measure_clients(asked: argparse.Namespace, out: Report) -> None:
    """Measure our client, and Apache's beside it, with our broker."""
    makes = ("apache", "ours") if asked.apache else ("ours",)
    with folder() as data, stopping(servers.ours(data / "store")) as server:
        rows = client.compare(
            server.name_server,
            data,
            makes=makes,
            shapes=chosen(client.SHAPES, asked.shapes),
            rounds=(asked.rounds + 1) // 2,
            seconds=asked.seconds,
            warm=asked.warm,
        )
    out.add(client.table(rows))


def measure_rest(asked: argparse.Namespace, out: Report) -> None:
    """Measure starts, and servers with nothing to do."""
    times, watch = asked.rounds, 4 * asked.seconds
    found = {}
    if asked.apache:
        found[APACHE] = rest.measure(
            lambda path: ApacheBroker(asked.apache, path), min(times, 2), watch
        )
    found[OURS] = rest.measure(servers.ours, times, watch)
    out.add(rest.table(found))


def measure_growth(asked: argparse.Namespace, load: LoadGenerator, out: Report) -> None:
    """Measure the axes of growth; Apache's broker only at both ends of each."""

    def start_apache(store: Path) -> Running:
        """Start one of two."""
        return ApacheBroker(asked.apache, store.parent, store, brokers=2)

    timing = {"rounds": max(1, asked.rounds // 2), "seconds": 2 * asked.seconds}
    for name, axis in axes(asked.store_gib, asked.scale).items():
        if name not in asked.growth:
            continue
        points, start = axis.points, growth.start_ours
        found = {OURS: growth.measure_axis(axis, points, start, load, **timing)}
        if asked.apache:
            ends, warm = (points[0], points[-1]), asked.warm / 3
            found[APACHE] = growth.measure_axis(
                axis, ends, start_apache, load, warm=warm, **timing
            )
        out.add(growth.table(axis, found))


def main() -> None:
    """Measure what was asked for."""
    asked = arguments()
    version = None
    if asked.apache:
        build()
        version = apache.version(asked.apache)
    out = Report(asked.write, machine.describe(sys.argv[1:], version))
    with folder() as scratch:
        load = LoadGenerator(scratch)
        measure_rates(asked, load, out)
        if "replication" in asked.only:
            measure_replication(asked, load, out)
        if "client" in asked.only:
            measure_clients(asked, out)
        if "growth" in asked.only:
            measure_growth(asked, load, out)
    if "rest" in asked.only:
        measure_rest(asked, out)
    timing = rates.Timing(asked.rounds, asked.seconds, asked.warm)
    for part, table in ASKED_FOR.items():
        if part in asked.only:
            out.add(table(asked.apache, timing, chosen(SENDS, asked.shapes)))


main()
