"""Start-up, and what a server takes that has nothing to do. Source: ``proc(5)``."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench import servers

_TICK = os.sysconf("SC_CLK_TCK")
SETTLE = 3.0
"""Seconds after start-up until the memory is looked at."""


class Rest(NamedTuple):
    """What was measured."""

    start_up: float
    """Seconds until both ports are open, the median."""
    starts: list[float]
    memory: float
    """Resident MiB after :data:`SETTLE` seconds."""
    cpu: float
    """Percent of one CPU."""


def memory(pid: int) -> float:
    """Give a process's resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Give the CPU time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def measure(times: int = 5, watch: float = 20.0) -> Rest:
    """
    Start name server and broker some times, and watch the last one.

    :param watch: seconds over which the CPU time is counted.
    """
    starts = []
    for number in range(times):
        with tempfile.TemporaryDirectory() as data:
            server = servers.ours(Path(data))
            starts.append(server.started_in)
            try:
                if number == times - 1:
                    time.sleep(SETTLE)
                    resident, before = memory(server.pid), cpu_seconds(server.pid)
                    time.sleep(watch)
                    used = cpu_seconds(server.pid) - before
            finally:
                server.stop()
    return Rest(statistics.median(starts), starts, resident, 100 * used / watch)


def told(rest: Rest) -> str:
    """Write it as text."""
    starts = ", ".join(f"{s:.3f}" for s in rest.starts)
    return (
        f"start-up  {rest.start_up:.3f} s ({starts})\n"
        f"memory    {rest.memory:.1f} MiB at rest\n"
        f"CPU       {rest.cpu:.2f} % of one CPU at rest"
    )
