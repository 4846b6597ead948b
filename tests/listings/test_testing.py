"""The listing that tests a handler passes, as its reader runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTINGS = ROOT / "doc" / "howto" / "listings" / "testing"


COMMANDS = {
    "trial": ["twisted.trial", "test_billing"],
    # The plugin is named, for an older installation would not know it.
    "pytest": ["pytest", "-p", "rocketmq_tw.testing.plugin"],
}


@pytest.mark.parametrize("runner", sorted(COMMANDS))
def test_passes(runner: str, tmp_path: Path) -> None:
    """With trial and with pytest, in a folder of its own."""
    for listing in LISTINGS.glob("*.py"):
        (tmp_path / listing.name).write_text(listing.read_text())
    done = subprocess.run(
        [sys.executable, "-m", *COMMANDS[runner]],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shown() -> None:
    """The page shows both files."""
    page = (ROOT / "doc" / "howto" / "test.rst").read_text()
    for listing in LISTINGS.glob("*.py"):
        assert f"listings/testing/{listing.name}" in page
