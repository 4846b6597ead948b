"""
Public test doubles: clusters on one clock, without sockets and threads.

Tests of applications use :class:`~rocketmq_tw.testing.cluster.MemoryCluster`. The other
modules are its parts: a network of hosts (:mod:`~rocketmq_tw.testing.network`), their
reactors, faults, and threads that a test controls.
"""

from rocketmq_tw.testing.cluster import MemoryCluster
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.threads import ManualThreads
from rocketmq_tw.testing.timeline import NoResult

__all__ = ["ManualThreads", "MemoryCluster", "MemoryNetwork", "NoResult"]
