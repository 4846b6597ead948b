"""
Masters with a slave: what it costs the senders, how far it is behind, and catching up.

Both makes stand on one machine with both halves of each pair and the load generator, so
a slave also takes from the processors what it needs for itself.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.bench import rates
from tests.bench.load import SENDS, Drive, LoadGenerator, Shape
from tests.bench.pair import PATIENCE, Pair, laboratory, port_of, start
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table, number
from tests.bench.running import folder
from tests.bench.sides import warm
from tests.interop import lab as interop

TOPIC = "Bench"
ALONE, PAIRED = "alone", "with a slave"
#: The shape in which a send is kept waiting by each of its neighbours.
MANY = Shape("64 x 1, 1 KiB", "send", 64, 1)
FILL = Shape("fill", "send", 4, 32)
MIB = 1 << 20
#: Bytes of a record beside its body of 1 KiB, about.
_AROUND = 200


class Cost(NamedTuple):
    """
    What was measured of one shape, one entry a round.

    :ivar row: drives of a master :data:`ALONE`, and of one with a slave.
    :ivar behind: the most bytes that the slave was behind during the drive.
    :ivar level: seconds until it was level after the drive.
    """

    row: rates.Row
    behind: list[int]
    level: list[float]


def makes(apache: str | None) -> dict[str, str]:
    """Return the servers to compare: the name in tables, and the make."""
    found = {APACHE: apache} if apache else {}
    return {**found, OURS: interop.OURS}


def measure_cost(
    name: str,
    make: str,
    shapes: Sequence[Shape],
    load: LoadGenerator,
    timing: Timing,
) -> list[Cost]:
    """Drive a master alone and one with a slave in turn, each shape round by round."""
    with folder() as scratch, laboratory(scratch) as (lab, names):
        alone = start(lab, names, make, "alone")
        port = port_of(alone)
        pair = Pair(lab, names, make, "pair", brokerRole="ASYNC_MASTER")
        pair.add_slave()
        for each in (port, pair.port):
            warm(load, {name: each}, shapes, timing.warm, TOPIC)
        pair.wait_until_level()
        return [_cost(shape, port, pair, load, timing) for shape in shapes]


def _cost(
    shape: Shape, alone: int, pair: Pair, load: LoadGenerator, timing: Timing
) -> Cost:
    drives: dict[str, list[Drive]] = {ALONE: [], PAIRED: []}
    cost = Cost(rates.Row(shape.name, drives), [], [])

    def drive_alone() -> None:
        drives[ALONE].append(load.drive(shape, alone, timing.seconds, topic=TOPIC))

    def drive_pair() -> None:
        with pair.watching() as behind:
            drive = load.drive(shape, pair.port, timing.seconds, topic=TOPIC)
        drives[PAIRED].append(drive)
        cost.level.append(pair.wait_until_level())
        cost.behind.append(max(behind, default=0))

    steps = [drive_alone, drive_pair]
    for _ in range(timing.rounds):
        for step in steps:
            step()
        steps.reverse()
    return cost


def cost_table(name: str, costs: Sequence[Cost]) -> Table:
    """Make the table of one make."""
    lines = []
    for cost in costs:
        row = cost.row
        lines.append(
            [
                row.shape,
                number(row.median(ALONE, rates.rate_of)),
                number(row.median(PAIRED, rates.rate_of)),
                f"{row.ratio(PAIRED, ALONE, rates.rate_of):.2f}",
                f"{max(cost.behind) / MIB:.1f}",
                f"{max(cost.level):.2f}",
            ]
        )
    columns = ["shape", ALONE, PAIRED, "ratio", "behind, MiB", "level, s"]
    note = (
        "Messages a second; how far the slave was behind at most while they were sent,"
        " and how long it took at most to be level afterwards."
    )
    return Table(f"A slave of {name}", columns, lines, note)


def measure_waits(
    compared: dict[str, str], flush: str, load: LoadGenerator, timing: Timing
) -> Table:
    """Measure sends that wait until the slave has them, of each make in turn."""
    conf = {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2, "flushDiskType": flush}
    with folder() as scratch, laboratory(scratch) as (lab, names):
        ports = {}
        for name, make in compared.items():
            pair = Pair(lab, names, make, "waits", **conf)
            pair.add_slave()
            _wait_for_slave(load, pair)
            warm(load, {name: pair.port}, [MANY], timing.warm, TOPIC)
            ports[name] = pair.port
        row = rates.measure(
            load,
            MANY,
            ports,
            rounds=timing.rounds,
            seconds=timing.seconds,
            topic=TOPIC,
        )
    return rates.table(f"Sends that wait for a slave, {flush}", [row])


def _wait_for_slave(load: LoadGenerator, pair: Pair) -> None:
    """Send until the slave has what was sent: until then sends may time out."""
    until = time.monotonic() + PATIENCE
    while True:
        running = load.begin(FILL, pair.port, 0.3, topic=TOPIC)
        running.communicate(timeout=PATIENCE)
        if not running.returncode and not pair.behind():
            return
        assert time.monotonic() < until, "the slave did not follow"
        time.sleep(0.2)


def measure_catching_up(
    compared: dict[str, str], size: int, load: LoadGenerator, timing: Timing
) -> dict[str, list[float]]:
    """
    Start an empty slave again and again, of each make in turn.

    :param size: of the master's log, less than a file: an empty slave of Apache's
        copies the last file alone.
    :returns: for each make the rates in MiB a second, from the slave's first bytes on.
    """
    found: dict[str, list[float]] = {name: [] for name in compared}
    with folder() as scratch, laboratory(scratch) as (lab, names):
        pairs = {}
        for name, make in compared.items():
            pairs[name] = pair = Pair(lab, names, make, "full")
            count = size // (FILL.body + _AROUND)
            load.fill(pair.port, count, TOPIC, FILL.body)
        for _ in range(timing.rounds):
            for name, pair in pairs.items():
                pair.add_slave()
                found[name].append(_catch_up(pair))
                pair.drop_slave()
    return found


def _catch_up(pair: Pair) -> float:
    until = time.monotonic() + PATIENCE
    while not (first := pair.slave_end()):
        assert time.monotonic() < until, "the slave got nothing"
        time.sleep(0.005)
    begin = time.monotonic()
    end = pair.master_end()
    pair.wait_until_level()
    return (end - first) / MIB / max(time.monotonic() - begin, 0.005)


def catching_up_table(size: int, found: dict[str, list[float]]) -> Table:
    """Make the table: the rate of each make, and ours to Apache's."""
    rows = [[name, number(statistics.median(each))] for name, each in found.items()]
    if APACHE in found:
        pairs = zip(found[OURS], found[APACHE], strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        rows.append([f"{OURS} / {APACHE}", f"{ratio:.2f}"])
    note = (
        f"An empty slave of a master with {size / MIB:,.0f} MiB, from its first bytes."
    )
    return Table("Catching up", ["server", "MiB a second"], rows, note)


def tables(
    apache: str | None,
    size: int,
    load: LoadGenerator,
    timing: Timing,
    shapes: Sequence[Shape] = SENDS,
) -> list[Table]:
    """Measure all of it."""
    compared = makes(apache)
    found = [
        cost_table(name, measure_cost(name, make, shapes, load, timing))
        for name, make in compared.items()
    ]
    for flush in ("ASYNC_FLUSH", "SYNC_FLUSH"):
        found.append(measure_waits(compared, flush, load, timing))
    rates_found = measure_catching_up(compared, size, load, timing)
    return [*found, catching_up_table(size, rates_found)]
