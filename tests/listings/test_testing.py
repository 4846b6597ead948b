"""The listing that tests a handler passes, as its reader runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTINGS = ROOT / "doc" / "howto" / "listings" / "testing"


@pytest.mark.parametrize("runner", ["twisted.trial", "pytest"])
def test_passes(runner: str, tmp_path: Path) -> None:
    """With trial and with pytest, in a folder of its own."""
    for listing in LISTINGS.glob("*.py"):
        (tmp_path / listing.name).write_text(listing.read_text())
    name = "test_billing" if runner == "twisted.trial" else "test_billing.py"
    done = subprocess.run(
        [sys.executable, "-m", runner, name],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shown() -> None:
    """The page shows both files."""
    page = (ROOT / "doc" / "howto" / "test.rst").read_text()
    for listing in LISTINGS.glob("*.py"):
        assert f"listings/testing/{listing.name}" in page
