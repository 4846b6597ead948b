"""The listing in which a master is killed runs, as its reader runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTING = ROOT / "doc" / "howto" / "listings" / "cluster" / "fail_over.py"


def test_runs() -> None:
    """Every message arrives."""
    done = subprocess.run(
        [sys.executable, str(LISTING)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("sent 100, read 100")


def test_shown() -> None:
    """The page shows the listing."""
    page = (ROOT / "doc" / "howto" / "cluster.rst").read_text()
    assert "listings/cluster/fail_over.py" in page
