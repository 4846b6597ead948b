"""
Requests of 1 KiB and their replies of the same size.

One process asks and another one replies, both with our client or both with Apache's,
through our broker and through Apache's. Of each the round trips are measured with 1 and
with 32 requests in flight, and the processor time that the broker takes for one: the
request is stored and pulled, its reply is stored and pushed.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any, NamedTuple

from tests.bench.client import ROOT, start_of
from tests.bench.load import Shape
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table, number
from tests.bench.rest import cpu_seconds
from tests.bench.running import Running, alone, folder
from tests.bench.sides import sides

#: Requests in flight.
DEPTHS = (1, 32)
SIZE = 1024
#: Seconds of warm-up, beside those of the broker, and at most of a process to end.
WARM, PATIENCE = 1.0, 60
_numbers = count(1)


class Measured(NamedTuple):
    """
    What one drive measured.

    :ivar rate: round trips a second.
    :ivar p50: microseconds; likewise ``p99``.
    :ivar broker: microseconds of the broker's processor time for a round trip.
    :ivar clients: those of both clients together.
    """

    rate: float
    p50: float
    p99: float
    broker: float
    clients: float


class Clients(NamedTuple):
    """
    The two programs that ask and reply.

    :ivar name: as in the table.
    :ivar start: of the command of either.
    :ivar warm: seconds of warm-up.
    """

    name: str
    start: list[str]
    warm: float

    def command(
        self, server: Running, shape: str, topic: str, **more: float
    ) -> list[str]:
        """Return the command line of one."""
        options: dict[str, object] = {
            "shape": shape,
            "namesrv": server.name_server,
            "topic": topic,
            "size": SIZE,
            **more,
        }
        words = [word for name in options for word in (f"--{name}", f"{options[name]}")]
        return [*self.start, *words]


@contextmanager
def answering(
    clients: Clients, server: Running, topic: str
) -> Iterator[list[dict[str, Any]]]:
    """
    Let a client reply to the requests of a topic.

    :returns: a list in which is what it measured, once it has ended.
    """
    command = clients.command(server, "answer", topic)
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            started = process.stdout.readline()
            assert "started" in started, started
            found: list[dict[str, Any]] = []
            yield found
            found.append(json.loads(process.communicate("", timeout=PATIENCE)[0]))
        finally:
            process.kill()


def drive(clients: Clients, server: Running, depth: int, seconds: float) -> Measured:
    """Ask for some seconds, with so many requests in flight."""
    topic = f"BenchReply_{next(_numbers)}"
    command = clients.command(
        server, "request", topic, depth=depth, seconds=seconds, warm=clients.warm
    )
    with answering(clients, server, topic) as answered:
        before = cpu_seconds(server.pid)
        done = subprocess.run(
            command,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=PATIENCE + 10 * seconds,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        used = cpu_seconds(server.pid) - before
    asked = json.loads(done.stdout)
    # What answers counts the warm-up, too; so does the broker's time.
    trips = answered[0]["count"]
    return Measured(
        asked["count"] / asked["seconds"],
        asked["p50"],
        asked["p99"],
        used / trips * 1e6,
        (asked["cpu"] / asked["count"] + answered[0]["cpu"] / trips) * 1e6,
    )


def table(apache: str | None, timing: Timing, _shapes: Sequence[Shape]) -> Table:
    """Measure both makes of brokers side by side; Apache's clients, too, beside it."""
    rows: list[list[str]] = []
    with ExitStack() as stack:
        running = stack.enter_context(sides(apache, is_sync=False))
        scratch = stack.enter_context(folder())
        servers: dict[str, Running] = {
            name: running[name] for name in (APACHE, OURS) if name in running
        }
        makes = [Clients(OURS, start_of("ours", scratch), WARM)]
        if APACHE in servers:
            makes.append(Clients("Java", start_of("apache", scratch), timing.warm))
            drive(makes[0], servers[APACHE], DEPTHS[-1], timing.warm)
        for clients in makes:
            found = _measure(clients, servers, timing)
            for depth in DEPTHS:
                label = f"{clients.name}, {depth} in flight"
                rows += _rows(label, {name: found[depth, name] for name in servers})
    heads = ["clients", "broker", "round trips a second", "p50", "p99"]
    heads += ["CPU of the broker", "of the clients"]
    note = "Microseconds, of a round trip."
    return Table("Requests of 1 KiB, and replies", heads, rows, note)


def _measure(
    clients: Clients, servers: dict[str, Running], timing: Timing
) -> dict[tuple[int, str], list[Measured]]:
    """Drive each broker in turn; return its rounds by depth and name."""
    found: dict[tuple[int, str], list[Measured]] = {}
    for _ in range(timing.rounds):
        for depth in DEPTHS:
            for name, server in servers.items():
                with alone(servers, name):
                    once = drive(clients, server, depth, timing.seconds)
                found.setdefault((depth, name), []).append(once)
    return found


def _rows(label: str, found: dict[str, list[Measured]]) -> list[list[str]]:
    """Return a row for each broker, and one for their ratios."""
    rows, medians = [], []
    for name, rounds in found.items():
        columns = zip(*rounds, strict=True)
        medians.append([statistics.median(each) for each in columns])
        rows.append([label, name, *map(number, medians[-1])])
    if len(medians) == 2:
        ratios = [f"{b / a:.2f}" for a, b in zip(*medians, strict=True)]
        rows.append([label, f"{OURS} by {APACHE}", *ratios])
    return rows
