"""
Timed messages of 1 KiB: how many are accepted, and how fast those of one second come.

What is accepted is due within an hour, a day later, so that both brokers link it
meanwhile and deliver nothing. What is delivered is due at one full second, which is as
bad as it gets; the time runs from there until all of it can be read in its topic.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rocketmq_tw.clock import time_of_day
from rocketmq_tw.wire.fields import from_ext
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from tests.bench.load import LoadGenerator, Shape
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table
from tests.bench.running import Running, alone, folder
from tests.bench.sides import sides
from tests.longrun.broker import Link

TOPIC, QUEUES = "BenchTimers", 4
SHAPES = (
    Shape("8 x 1, 1 KiB", "send", 8, 1),
    Shape("32 x 1, 1 KiB", "send", 32, 1),
    Shape("4 x 32, 1 KiB", "send", 4, 32),
)
#: What is due at one second; for each second of a drive.
DUE = 10_000
#: Milliseconds until what is accepted is due; and seconds over which that is spread.
FAR, SPREAD = 86_400_000, 3600
#: Seconds that a broker gets to link what it accepted; and until it delivered all.
LINKING, PATIENCE = 2.0, 120.0
#: Seconds between two looks at how much was delivered.
LOOK = 0.01


class Measured:
    """One figure of each server: what was measured in each round."""

    def __init__(self, name: str, figure: Callable[[Running], float]) -> None:
        self.name = name
        self._figure = figure
        self._found: dict[str, list[float]] = {}

    def take(self, servers: Mapping[str, Running]) -> None:
        """Measure once more."""
        for name, server in servers.items():
            with alone(servers, name):
                measured = self._figure(server)
            self._found.setdefault(name, []).append(measured)

    def rows(self) -> Iterator[list[str]]:
        """Give a row for each server, and one of the rounds' ratios."""
        for name, each in self._found.items():
            span = f"{min(each):,.0f}-{max(each):,.0f}"
            yield [self.name, name, f"{statistics.median(each):,.0f}", span]
        if len(self._found) == 2:
            pairs = zip(self._found[OURS], self._found[APACHE], strict=True)
            ratio = statistics.median(one / other for one, other in pairs)
            yield [self.name, f"{OURS} by {APACHE}", f"{ratio:.2f}", ""]


def accept(load: LoadGenerator, shape: Shape, port: int, seconds: float) -> float:
    """Send timed messages; return how many were accepted per second."""
    due_ms = int(time_of_day() * 1000) + FAR
    drive = load.drive(shape, port, seconds, topic=TOPIC, deliver=due_ms, spread=SPREAD)
    return drive.rate


def deliver(load: LoadGenerator, port: int, count: int) -> float:
    """Send messages that are due at one second; return how many came per second."""
    with _link(port) as link:
        before = _there(link)
        # As long as it takes to send and link them, however slow the machine is.
        due = int(time_of_day() + 4 + count / 3000)
        load.fill(port, count, TOPIC, deliver=due * 1000)
        assert time_of_day() < due, "sending them took until they were due"
        time.sleep(due - time_of_day())
        while _there(link) < before + count:
            assert time_of_day() < due + PATIENCE, _there(link) - before
            time.sleep(LOOK)
        return count / (time_of_day() - due)


@contextmanager
def _link(port: int) -> Iterator[Link]:
    """Connect to a broker."""
    link = Link(port)
    try:
        yield link
    finally:
        link.close()


def _there(link: Link) -> int:
    """Ask how many messages were delivered."""
    requests = [GetMaxOffset(TOPIC, queue_id) for queue_id in range(QUEUES)]
    answers = link.ask_all(requests, QUEUES)
    kind = GetMaxOffset.response_type
    return sum(int(from_ext(kind, each.fields).offset) for each in answers)


def table(apache: str | None, timing: Timing, _shapes: Sequence[Shape]) -> Table:
    """Measure both makes side by side."""
    count = max(1000, int(DUE * timing.seconds))
    with ExitStack() as stack:
        scratch: Path = stack.enter_context(folder())
        load = LoadGenerator(scratch)
        running = stack.enter_context(sides(apache, is_sync=False))
        servers: dict[str, Running] = {
            name: running[name] for name in (APACHE, OURS) if name in running
        }
        for name, server in servers.items():
            load.fill(server.port, QUEUES, TOPIC)
            accept(load, SHAPES[-1], server.port, timing.warm if name == APACHE else 1)
            deliver(load, server.port, count)
        figures = [
            Measured(
                f"accepted, {shape.name}",
                lambda server, shape=shape: accept(  # type: ignore[misc]
                    load, shape, server.port, timing.seconds
                ),
            )
            for shape in SHAPES
        ]
        figures.append(
            Measured(
                f"delivered, {count:,} at once",
                lambda server: deliver(load, server.port, count),
            )
        )
        for _ in range(timing.rounds):
            for figure in figures:
                figure.take(servers)
                time.sleep(min(LINKING, timing.seconds))
    rows = [row for figure in figures for row in figure.rows()]
    columns = ["timed messages", "broker", "a second", "from - to"]
    return Table("Timed messages of 1 KiB", columns, rows)
