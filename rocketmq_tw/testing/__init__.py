"""
Public test doubles: clusters on one clock, without sockets and threads.

Tests of applications use :class:`~rocketmq_tw.testing.cluster.MemoryCluster`, with
pytest by the fixture ``rocketmq_cluster`` (:mod:`~rocketmq_tw.testing.plugin`). The
other modules are its parts: a network of hosts (:mod:`~rocketmq_tw.testing.network`),
their reactors, faults, and threads that a test controls. They are imported on first
use: pytest imports the plugin wherever the package is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_tw.lazy_exports import importer_of

if TYPE_CHECKING:
    from rocketmq_tw.testing.cluster import MemoryCluster as MemoryCluster
    from rocketmq_tw.testing.network import MemoryNetwork as MemoryNetwork
    from rocketmq_tw.testing.threads import ManualThreads as ManualThreads
    from rocketmq_tw.testing.timeline import NoResult as NoResult

#: Where each public name is defined; a test compares this with the imports above.
_HOMES = {
    "MemoryCluster": "rocketmq_tw.testing.cluster",
    "MemoryNetwork": "rocketmq_tw.testing.network",
    "ManualThreads": "rocketmq_tw.testing.threads",
    "NoResult": "rocketmq_tw.testing.timeline",
}

__all__ = ["ManualThreads", "MemoryCluster", "MemoryNetwork", "NoResult"]


if not TYPE_CHECKING:  # otherwise any name would pass the type checker
    __getattr__ = importer_of(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names, including those not imported yet."""
    return sorted([*globals(), *__all__])
