"""
The plugin for pytest: the fixture ``rocketmq_cluster``.

pytest imports it wherever the package is installed, so it imports nothing of a cluster
before a test asks for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rocketmq_tw.testing.cluster import MemoryCluster

#: The marker with the options of the cluster.
MARKER = "rocketmq"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    text = f"{MARKER}(**options): options of rocketmq_tw.testing.MemoryCluster"
    config.addinivalue_line("markers", text)


@pytest.fixture
def rocketmq_cluster(request: pytest.FixtureRequest) -> Iterator[MemoryCluster]:
    """
    A running cluster in memory, which is stopped after the test.

    ``@pytest.mark.rocketmq(brokers=2)`` passes options to
    :class:`~rocketmq_tw.testing.cluster.MemoryCluster`; those of a test add to those of
    its class and module, and override them.
    """
    from rocketmq_tw.testing.cluster import MemoryCluster

    options = {}
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        options.update(marker.kwargs)
    with MemoryCluster(**options) as cluster:
        yield cluster
