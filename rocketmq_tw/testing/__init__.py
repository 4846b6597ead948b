"""
Public test doubles: whole clusters on one clock, without sockets and threads.

:class:`~rocketmq_tw.testing.cluster.MemoryCluster` is what tests of applications use.
The rest is what it is made of: a network of hosts
(:mod:`~rocketmq_tw.testing.network`), their reactors, faults, threads that a test
controls.
"""

from rocketmq_tw.testing.cluster import MemoryCluster
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.threads import ManualThreads
from rocketmq_tw.testing.timeline import NoResult

__all__ = ["ManualThreads", "MemoryCluster", "MemoryNetwork", "NoResult"]
