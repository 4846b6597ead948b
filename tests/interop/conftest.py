"""Fixtures: the Java programs built once, and laboratories to run them in."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from . import apache
from .lab import Cluster, Lab


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Compile the Java programs; without the tools, skip (but fail under CI)."""
    missing = apache.missing_tools()
    if missing:
        reason = f"proof against the original needs {' and '.join(missing)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    apache.build()


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Lend a laboratory to one test."""
    laboratory = Lab(tmp_path_factory.mktemp("lab"))
    yield laboratory
    laboratory.close()


@pytest.fixture(scope="session")
def _clusters(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Lab, Cluster]]]:
    """Hold the clusters shared by all tests, by make; each starts on first use."""
    started: dict[str, tuple[Lab, Cluster]] = {}
    yield started
    for laboratory, _ in started.values():
        laboratory.close()


@pytest.fixture
def shared(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _clusters: dict[str, tuple[Lab, Cluster]],
) -> Iterator[tuple[Lab, Cluster]]:
    """Lend a running cluster; the parameter is its make. Topics must be one's own."""
    make = str(request.param)
    if make not in _clusters:
        laboratory = Lab(tmp_path_factory.mktemp(f"shared-{make}"))
        _clusters[make] = laboratory, laboratory.cluster(make)
    yield _clusters[make]
    _clusters[make][0].end_programs()
