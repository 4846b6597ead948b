"""Attacks on our client: a scripted broker, and a client that consumes from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from tests.bench.servers import ROOT
from tests.longrun.hostile.scripted import MESSAGES, SCRIPTS
from tests.longrun.hostile.verdict import TRIES, WORST

#: Mebibytes by which a client may grow: its cache of messages, a body, and a response.
GROWTH = 160
#: Tracebacks that a client may log: of messages of topics that it did not ask for.
TRACEBACKS = 5
#: Seconds of each attack.
SECONDS = 4.0
#: The scripts that continuous integration runs.
SHORT = ("12 bombs in pulled messages", "15 a committed offset of -1")
#: The scripts after which all messages must have been received.
COMPLETE = {"an honest broker", "15 a committed offset of -1"}
COMPLETE |= {"responses nobody waits for", "notices and unknown requests"}


def run(names: Iterable[str] = SCRIPTS) -> list[str]:
    """Run scripts; print a line for each, and return the faults."""
    print(f"{'attack on a client':38} {'longest ms':>10} {'MiB':>5} {'received':>8}")
    faults: list[str] = []
    for name in names:
        for _ in range(TRIES):
            found = _one(name)
            if found["longest"] <= WORST * 1000:
                break
        print(
            f"{name:38} {found['longest']:10} {found['growth']:5}"
            f" {found['received']:8}  {found['refused']} refused",
            flush=True,
        )
        faults += [f"{name}: {fault}" for fault in _faults(name, found)]
    return faults


def _faults(name: str, found: dict[str, Any]) -> list[str]:
    """Compare what the client saw with what it may cost."""
    faults = []
    if found["longest"] > WORST * 1000:
        faults.append(f"the client did nothing else for {found['longest']} ms")
    if found["growth"] > GROWTH:
        faults.append(f"the client grew by {found['growth']} MiB")
    if found["tracebacks"] > TRACEBACKS:
        faults.append(f"{found['tracebacks']} tracebacks: {found['last']}")
    if name in COMPLETE and found["received"] < MESSAGES:
        faults.append(f"{found['received']} of {MESSAGES} messages")
    return faults


def _one(name: str) -> dict[str, Any]:
    """Run one script against one client."""
    prefix = [sys.executable, "-m"]
    module = "tests.longrun.hostile."
    server = subprocess.Popen(
        [*prefix, module + "scripted", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        victim = subprocess.run(
            [*prefix, module + "victim", port, str(SECONDS)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS + 60,
        )
        assert victim.stdout, victim.stderr[-2000:]
        found: dict[str, Any] = json.loads(victim.stdout.splitlines()[-1])
        return found
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(bool(run()))
