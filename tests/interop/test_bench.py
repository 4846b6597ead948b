"""The measurements of speed: they run, and print every line; no figure is checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.load import PULLS, SENDS
from tests.bench.rates import APACHE, OURS

ROOT = Path(__file__).parents[2]
#: So short that the figures say nothing.
SHORT = ("--rounds", "1", "--seconds", "0.1", "--warm", "0.5", "--scale", "0.01")
GROWTH = (
    "--only",
    "client",
    "growth",
    "rest",
    "--growth",
    "held",
    "store",
    "--store-gib=0.1",
)


def run(*words: str) -> list[str]:
    """Run the command; return the lines it printed."""
    command = [sys.executable, "-m", "tests.bench", *SHORT, *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.splitlines()


def test_rates(tmp_path: Path) -> None:
    """Each shape has a line for either way to flush; the tables are written too."""
    figures = tmp_path / "figures.txt"
    only = ("--only", "send", "sync", "pull")
    printed = run("--apache", *only, "--write", str(figures))
    for title in ("Sends, ASYNC_FLUSH", "Pulls of 1 KiB", "Sends, SYNC_FLUSH"):
        assert title in printed
        assert f"\n{title}\n---" in figures.read_text()
    assert any(APACHE in line and OURS in line for line in printed)
    for shape in SENDS:
        assert sum(line.startswith(shape.name) for line in printed) == 2
    for shape in PULLS:
        assert any(line.startswith(shape.name) for line in printed)


def test_clients_growth_and_rest() -> None:
    """Each client and each axis has its table; the server at rest has a line."""
    printed = run(*GROWTH)
    for title in ("Clients", "Growth: held pulls", "Growth: GiB stored", "At rest"):
        assert title in printed
    assert any(line.startswith(OURS) for line in printed)


def test_replication() -> None:
    """A pair of ours is measured, beside a master alone."""
    printed = run("--only", "replication", "--shapes", "4x32")
    for title in (f"A slave of {OURS}", "Catching up"):
        assert title in printed
    assert sum(line.startswith("4 x 32") for line in printed) == 1
    assert sum(line.startswith("64 x 1") for line in printed) == 2


def test_reply() -> None:
    """Requests are measured with one and with many in flight."""
    printed = run("--only", "reply")
    assert "Requests of 1 KiB, and replies" in printed
    assert sum(line.startswith("ours, ") for line in printed) == 2


def test_timers() -> None:
    """Timed messages are accepted in three shapes, and those of one second come."""
    printed = run("--only", "timers")
    assert "Timed messages of 1 KiB" in printed
    assert sum(line.startswith("accepted, ") for line in printed) == 3
    assert sum(line.startswith("delivered, 1,000 at once") for line in printed) == 1
