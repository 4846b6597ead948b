"""Java allocates queues as the table says with which our strategies are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.consumer.group.allocation_cases import stored

from .allocations import of_java


@pytest.mark.parametrize("release", ["v49", "v55"])
def test_allocation(release: str, tmp_path: Path) -> None:
    """Both releases allocate the same."""
    assert of_java(release, tmp_path) == stored()
