"""Start-up, and what a server takes that has nothing to do. Source: ``proc(5)``."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.report import Table
from tests.bench.running import Running, stopping

_TICK = os.sysconf("SC_CLK_TCK")
SETTLE = 3.0
"""Seconds after start-up until the memory is looked at."""


class Rest(NamedTuple):
    """What was measured of one kind of server."""

    starts: list[float]
    """Seconds until the ports were open."""
    memory: float
    """Resident MiB after :data:`SETTLE` seconds."""
    cpu: float
    """Percent of one processor."""


def memory(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def measure(start: Callable[[Path], Running], times: int, watch: float) -> Rest:
    """
    Start a server some times, and watch the last one.

    :param watch: seconds over which the CPU time is counted.
    """
    starts = []
    resident = used = 0.0
    for number in range(times):
        with tempfile.TemporaryDirectory() as data, stopping(start(Path(data))) as it:
            starts.append(it.started_in)
            if number == times - 1:
                time.sleep(SETTLE)
                resident, before = memory(it.pid), cpu_seconds(it.pid)
                time.sleep(watch)
                used = cpu_seconds(it.pid) - before
    return Rest(starts, resident, 100 * used / watch)


def table(found: Mapping[str, Rest]) -> Table:
    """Make a table of what was measured."""
    rows = [
        [
            name,
            f"{statistics.median(each.starts):.2f}",
            f"{each.memory:.1f}",
            f"{each.cpu:.2f}",
        ]
        for name, each in found.items()
    ]
    columns = ["server", "start-up, s", "memory, MiB", "CPU, %"]
    note = (
        "Ours is a name server and a broker in one process; of Apache's it is the"
        " broker alone, whose heap is touched when it starts."
    )
    return Table("At rest", columns, rows, note)
