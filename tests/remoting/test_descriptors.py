"""Tests of :mod:`rocketmq_tw.remoting.descriptors`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from rocketmq_tw.remoting.descriptors import connection_limit, grow_table, raise_limit


class System:
    """A double of the module ``resource``, with limits of its own."""

    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft: int, hard: int, allows: bool = True) -> None:
        self.limits = (soft, hard)
        self.allows = allows

    def getrlimit(self, kind: int) -> tuple[int, int]:
        """Give both limits."""
        return self.limits

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        """Set both limits, if that is allowed."""
        if not self.allows:
            raise ValueError("not allowed to raise maximum limit")
        self.limits = limits


class RaiseLimitTests(SynchronousTestCase):
    """The soft limit of file descriptors."""

    def test_raised(self) -> None:
        """It becomes the hard limit."""
        system = System(1024, 20_000)
        self.assertEqual(raise_limit(system), 20_000)
        self.assertEqual(system.limits, (20_000, 20_000))

    def test_never_lowered(self) -> None:
        """A limit that is as high already stays."""
        for soft in (20_000, 1 << 21):
            self.assertEqual(raise_limit(System(soft, soft)), soft)

    def test_without_hard_limit(self) -> None:
        """Where there is no hard limit, it becomes what Linux allows everybody."""
        self.assertEqual(raise_limit(System(1024, -1)), 1 << 20)
        self.assertEqual(raise_limit(System(-1, -1)), 1 << 20)

    def test_not_allowed(self) -> None:
        """A system that refuses leaves the limit as it is."""
        self.assertEqual(raise_limit(System(1024, 20_000, allows=False)), 1024)


#: Prints how many descriptors fit in the table of a process, and which are open.
_TABLE = """
import os
from rocketmq_tw.remoting.descriptors import grow_table
def table():
    text = open("/proc/self/status").read()
    size = int(text.partition("FDSize:")[2].split()[0])
    return size, len(os.listdir("/proc/self/fd"))
print(*table())
grow_table(700)
print(*table())
"""


class GrowTableTests(SynchronousTestCase):
    """The kernel's table of a process."""

    def test_size(self) -> None:
        """All fit in it afterwards, and none is left open."""
        if not Path("/proc/self/status").exists():
            raise SkipTest("only Linux shows the size of the table")
        done = subprocess.run(
            [sys.executable, "-c", _TABLE], capture_output=True, check=True
        )
        (before, open_before), (after, open_after) = (
            map(int, line.split()) for line in done.stdout.splitlines()
        )
        self.assertLess(before, 700)
        self.assertGreaterEqual(after, 700)
        self.assertEqual(open_after, open_before)

    def test_fewer_allowed(self) -> None:
        """No more than the process may have are asked for, nor does a refusal harm."""
        before = os.listdir("/dev/fd")
        grow_table(1 << 30, System(resource.getrlimit(resource.RLIMIT_NOFILE)[0], -1))
        grow_table(1 << 30, System(-1, -1))
        self.assertEqual(os.listdir("/dev/fd"), before)


class ConnectionLimitTests(SynchronousTestCase):
    """What is left to connections."""

    def test_descriptors_are_kept_back(self) -> None:
        """Connections leave 1,024 descriptors to files."""
        self.assertEqual(connection_limit(20_000), 20_000 - 1024)

    def test_not_without_end(self) -> None:
        """However many descriptors there are, the memory of connections is limited."""
        self.assertEqual(connection_limit(1 << 20), 100_000)

    def test_few(self) -> None:
        """Where there are few descriptors, connections leave half of them."""
        self.assertEqual(connection_limit(1024), 512)

    def test_shared(self) -> None:
        """Servers of one process share what is left."""
        self.assertEqual(connection_limit(1024, servers=2), 256)
