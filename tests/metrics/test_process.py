"""What the process uses."""

from __future__ import annotations

import os
from types import SimpleNamespace
from unittest.mock import patch

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.process import LAG_PERIOD, ProcessMetrics
from tests.metrics.reading import Reading, read


class ProcessTests(SynchronousTestCase):
    """Memory, descriptors, time, and how late the reactor is."""

    def setUp(self) -> None:
        """Measure on a clock."""
        self.clock = Clock()
        self.page = Page(self.clock)

    def started(self, folder: str = "/proc/self") -> ProcessMetrics:
        """Start."""
        made = ProcessMetrics(self.page, self.clock, 1000.5, folder)
        made.start()
        self.addCleanup(made.stop)
        return made

    def read(self) -> Reading:
        """Read a new page."""
        self.clock.advance(1)
        asked = self.page.collect()
        self.clock.pump([0.001] * 5)
        return read(self.successResultOf(asked))

    def test_numbers(self) -> None:
        """They are those of this process."""
        self.started()
        page = self.read()
        self.assertEqual(page.get("process_start_time_seconds"), 1000.5)
        self.assertGreater(page.get("process_cpu_seconds_total") or 0, 0)
        memory = page.get("process_resident_memory_bytes") or 0
        self.assertGreater(memory, 10 << 20)
        self.assertGreater(page.get("process_virtual_memory_bytes") or 0, memory)
        before = page.get("process_open_fds")
        with open(os.devnull):
            self.assertEqual(self.read().get("process_open_fds"), (before or 0) + 1)
        self.assertGreaterEqual(
            page.get("python_gc_collections_total", generation="0") or 0, 1
        )
        self.assertEqual(len(page.labels("python_info")), 1)

    def test_open_on_older_systems(self) -> None:
        """Where the system does not know how many are open, they are listed."""
        self.started()
        known = self.read().get("process_open_fds")
        with patch.object(os, "stat", return_value=SimpleNamespace(st_size=0)):
            self.assertEqual(self.read().get("process_open_fds"), known)

    def test_elsewhere(self) -> None:
        """Where the system does not show the process, those series are missing."""
        self.started(self.mktemp())
        page = self.read()
        self.assertIsNone(page.get("process_open_fds"))
        self.assertIsNone(page.get("process_resident_memory_bytes"))
        self.assertIsNotNone(page.get("process_cpu_seconds_total"))

    def test_lag(self) -> None:
        """A call that comes late is counted with the time by which it is late."""
        metrics = self.started()
        self.clock.advance(LAG_PERIOD)
        self.clock.advance(LAG_PERIOD + 0.04)
        self.assertEqual(metrics.lag.count, 2)
        self.assertAlmostEqual(metrics.lag.sum, 0.04)
        page = self.read()
        name = "rocketmq_reactor_lag_seconds_bucket"
        self.assertEqual(page.get(name, le="0.001"), 1)
        self.assertEqual(page.get(name, le="0.05"), 2)

    def test_stop(self) -> None:
        """Nothing is scheduled, and no descriptor stays open."""
        metrics = self.started()
        metrics.stop()
        metrics.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
