"""
What the process uses: memory, descriptors, processor time, garbage collections, and how
late the reactor is.

The names are those of the Prometheus clients of all languages.
"""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import resource
from typing import Any

from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.remoting.pacing import Steps

#: Seconds between two looks at how late the reactor is.
LAG_PERIOD = 0.5
#: Seconds.
LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_PAGE_SIZE = resource.getpagesize()
_GAUGES = {
    "process_start_time_seconds": "When the process started, in Unix time",
    "process_max_fds": "How many descriptors the process may have open",
    "process_open_fds": "How many descriptors the process has open",
    "process_virtual_memory_bytes": "Virtual memory, in bytes",
    "process_resident_memory_bytes": "Resident memory, in bytes",
}
#: By name: the key in the statistics of the collector, and the help.
_COLLECTIONS = {
    "python_gc_collections_total": ("collections", "Collections of garbage"),
    "python_gc_objects_collected_total": ("collected", "Objects that were garbage"),
    "python_gc_objects_uncollectable_total": (
        "uncollectable",
        "Objects that were garbage and could not be freed",
    ),
}


class ProcessMetrics:
    """
    Collects what the process uses.

    :param clock: whose calls are late when the reactor is busy.
    :param started_at: the time of day of the start, in seconds since the epoch.
    :param folder: where Linux shows the process; elsewhere some series are missing.
    """

    def __init__(
        self,
        page: Page,
        clock: Any,
        started_at: float,
        folder: str = "/proc/self",
    ) -> None:
        self._clock = clock
        self._started_at = started_at
        self._folder = folder
        self._statm: int | None = None
        self.lag = Histogram(LAG_BOUNDS)
        self._due = 0.0
        self._next: Any = None
        self._gauges = {
            name: page.family(name, "gauge", text) for name, text in _GAUGES.items()
        }
        self._processor = page.family(
            "process_cpu_seconds_total",
            "counter",
            "Processor time of the process, user and system, in seconds",
        )
        self._collections = {
            key: page.family(name, "counter", text, labels=("generation",))
            for name, (key, text) in _COLLECTIONS.items()
        }
        self._lag = page.family(
            "rocketmq_reactor_lag_seconds",
            "histogram",
            "How late calls of the reactor are: how long it did something else",
            bounds=LAG_BOUNDS,
        )
        info = page.family(
            "python_info",
            "gauge",
            "The Python that runs this",
            labels=("implementation", "version"),
        )
        info.set((platform.python_implementation(), platform.python_version()), 1)
        page.add(self.collect)

    def start(self) -> None:
        """Measure how late the reactor is from now on."""
        with contextlib.suppress(OSError):
            path = os.path.join(self._folder, "statm")
            self._statm = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._schedule()

    def stop(self) -> None:
        """Measure no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._statm is not None:
            os.close(self._statm)
            self._statm = None

    def collect(self) -> Steps[None]:
        """Set all families."""
        set_gauge = self._set_gauge
        set_gauge("process_start_time_seconds", self._started_at)
        times = os.times()
        self._processor.set((), times.user + times.system)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        set_gauge("process_max_fds", soft)
        with contextlib.suppress(OSError):
            set_gauge("process_open_fds", _count_open(os.path.join(self._folder, "fd")))
        yield None
        if self._statm is not None:
            pages = os.pread(self._statm, 100, 0).split()
            set_gauge("process_virtual_memory_bytes", int(pages[0]) * _PAGE_SIZE)
            set_gauge("process_resident_memory_bytes", int(pages[1]) * _PAGE_SIZE)
        for generation, counts in enumerate(gc.get_stats()):
            for key, family in self._collections.items():
                family.set((str(generation),), counts[key])
        self._lag.set_histogram((), self.lag)
        yield None

    def _set_gauge(self, name: str, value: float) -> None:
        self._gauges[name].set((), value)

    def _schedule(self) -> None:
        """Look again."""
        self._due = self._clock.seconds() + LAG_PERIOD
        self._next = self._clock.callLater(LAG_PERIOD, self._look)

    def _look(self) -> None:
        """Measure how late this call is."""
        self.lag.add(max(0.0, self._clock.seconds() - self._due))
        self._schedule()


def _count_open(folder: str) -> int:
    """
    Return how many descriptors are open.

    Linux has their number since 6.2; before, they have to be listed: 1 us for each.
    """
    count = os.stat(folder).st_size
    # One of those in a list is that of the folder, which is open then only.
    return count or len(os.listdir(folder)) - 1
