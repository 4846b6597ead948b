"""The page of all metrics."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.page import FRESH, Page
from rocketmq_tw.remoting.pacing import STEPS, Steps
from tests.metrics.reading import Reading, read


class PageTests(SynchronousTestCase):
    """What is collected, and how often."""

    def setUp(self) -> None:
        """Make a page with one counter."""
        self.clock = Clock()
        self.page = Page(self.clock, limit=3)
        self.calls = 0
        self.family = self.page.family("rocketmq_x_total", "counter", "Text")
        self.page.add(self.collect)

    def collect(self) -> Steps[None]:
        """Count the calls."""
        self.calls += 1
        self.family.set((), self.calls)
        yield None

    def slow(self, steps: int) -> Callable[[], Steps[None]]:
        """Make a collector of many steps."""

        def collect() -> Steps[None]:
            for _ in range(steps):
                yield None

        return collect

    def read(self) -> Reading:
        """Ask for the page, and let the clock run."""
        asked = self.page.collect()
        self.clock.pump([0.001] * 50)
        return read(self.successResultOf(asked))

    def test_collected(self) -> None:
        """Each page has what its parts set."""
        self.assertEqual(self.read().get("rocketmq_x_total"), 1)
        self.clock.advance(FRESH)
        self.assertEqual(self.read().get("rocketmq_x_total"), 2)
        self.assertEqual(self.page.scrapes, 2)

    def test_fresh(self) -> None:
        """A page that was made just now is given again."""
        self.read()
        self.assertEqual(self.read().get("rocketmq_x_total"), 1)
        self.assertEqual(self.calls, 1)

    def test_interval(self) -> None:
        """A setting may ask for more time between two pages."""
        self.page = Page(self.clock, interval=5)
        self.family = self.page.family("rocketmq_x_total", "counter", "Text")
        self.page.add(self.collect)
        for passed, expected in ((0, 1), (4.5, 1), (0.5, 2)):
            self.clock.advance(passed)
            self.assertEqual(self.read().get("rocketmq_x_total"), expected)

    def test_one_for_all(self) -> None:
        """Who asks while it is collected gets the same; nothing is done twice."""
        self.page.add(self.slow(3 * STEPS))
        asked = [self.page.collect() for _ in range(3)]
        self.assertNoResult(asked[0])
        self.clock.pump([0.001] * 50)
        pages = [self.successResultOf(each) for each in asked]
        self.assertIs(pages[0], pages[2])
        self.assertEqual(self.calls, 1)

    def test_gone(self) -> None:
        """One who goes away before does not hinder the others."""
        self.page.add(self.slow(3 * STEPS))
        first, second = self.page.collect(), self.page.collect()
        first.addErrback(lambda failure: None)
        first.cancel()
        self.clock.pump([0.001] * 50)
        self.successResultOf(second)

    def test_failure(self) -> None:
        """A part that fails is logged, and the others are on the page."""

        def fail() -> Steps[None]:
            raise ZeroDivisionError
            yield None

        self.page.add(fail)
        self.assertEqual(self.read().get("rocketmq_x_total"), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_parts_of_one_metric(self) -> None:
        """A broker and a name server have the same metric under one head."""
        for node in ("a", "b"):
            family = self.page.family(
                "rocketmq_y", "gauge", "Text", common=[("node_id", node)]
            )
            family.set((), 1)
        labels = self.read().labels("rocketmq_y")
        self.assertEqual(labels, [{"node_id": "a"}, {"node_id": "b"}])

    def test_names(self) -> None:
        """All series that there may be, those of histograms by their parts."""
        self.page.family("rocketmq_y", "histogram", "Text", bounds=(1,))
        expected = {"rocketmq_metrics_series_left_out", "rocketmq_x_total"}
        expected |= {f"rocketmq_y_{part}" for part in ("bucket", "sum", "count")}
        self.assertEqual(self.page.names, expected)

    def test_left_out(self) -> None:
        """Series that are too many are counted by their metric, until they fit."""
        family = self.page.family("rocketmq_y", "gauge", "Text", labels=("a",))
        for name in "abcde":
            family.set((name,), 1)
        page = self.read()
        self.assertEqual(len(page.labels("rocketmq_y")), 3)
        name = "rocketmq_metrics_series_left_out"
        self.assertEqual(page.get(name, metric="rocketmq_y"), 2)
        family.keep_only([("a",)])
        family.remove(("d",))
        family.remove(("e",))
        self.clock.advance(1)
        self.assertEqual(self.read().get(name, metric="rocketmq_y"), 0)

    def test_forgotten(self) -> None:
        """A part that has stopped is no longer on the page."""
        self.page.remove(self.collect)
        self.page.forget([self.family])
        self.page.remove(self.collect)
        self.assertEqual(self.read().names, set())

    def test_stop(self) -> None:
        """Who waits at the stop gets nothing, and nothing is left to do."""
        self.page.add(self.slow(3 * STEPS))
        asked: Deferred[list[bytes]] = self.page.collect()
        self.page.stop()
        self.failureResultOf(asked)
        self.assertEqual(self.clock.getDelayedCalls(), [])
