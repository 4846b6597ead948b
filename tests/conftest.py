"""Tests run in a folder of their own, so that what they leave behind lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _working_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the working folder a temporary one: trial's ``mktemp`` makes files there."""
    before = Path.cwd()
    folder = tmp_path_factory.mktemp("work")
    os.chdir(folder)
    yield folder
    os.chdir(before)
