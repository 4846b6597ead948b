"""The labels that all series of a part have."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.target import Target
from tests.metrics.reading import read


class TargetTests(SynchronousTestCase):
    """A broker, and a name server."""

    def test_labels(self) -> None:
        """Those of Apache RocketMQ, and those of the configuration beside them."""
        more = (("rack", 'r"1'), ("node_type", "mine"))
        target = Target.of(Page(Clock()), "C1", "broker", "ba", more)
        family = target.gauge("rocketmq_x", "Text", "topic")
        family.set(("T",), 1)
        expected = {
            "topic": "T",
            "cluster": "C1",
            "node_id": "ba",
            "node_type": "broker",
            "otel_scope_name": "broker-meter",
            "rack": 'r"1',
        }
        self.assertEqual(read(family.pieces()).labels("rocketmq_x"), [expected])

    def test_own_label(self) -> None:
        """A metric's own label takes the place of a common one; never both."""
        target = Target.of(Page(Clock()), "", "namesrv", "n", (("topic", "x"),))
        family = target.counter("rocketmq_x_total", "Text", "topic", "cluster")
        family.set(("T", "C1"), 1)
        [labels] = read(family.pieces()).labels("rocketmq_x_total")
        self.assertEqual((labels["topic"], labels["cluster"]), ("T", "C1"))

    def test_remove(self) -> None:
        """Nothing of a part is left when it has stopped."""
        page = Page(Clock())
        target = Target.of(page, "C1", "broker", "ba", ())
        target.gauge("rocketmq_x", "Text").set((), 1)
        target.remove([])
        self.assertEqual(read(self.successResultOf(page.collect())).names, set())
