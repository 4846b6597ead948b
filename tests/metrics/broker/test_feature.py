"""The metrics of a broker as a whole."""

from __future__ import annotations

from tests.metrics.broker.cases import MetricsCase


class FeatureTests(MetricsCase):
    """Installed after all other features."""

    def test_counters(self) -> None:
        """All counters of the runtime information are on the page."""
        page = self.read()
        for name in ("rocketmq_held_pulls", "rocketmq_topics_refused_total"):
            self.assertEqual(page.get(name), 0)

    def test_stop(self) -> None:
        """A broker that has stopped is not on the page; it comes back."""
        self.assertIn("rocketmq_topic_number", self.read().names)
        before = self.page
        self.stop()
        self.assertNotIn("rocketmq_topic_number", self.read().names)
        self.start()
        self.assertIsNot(self.page, before)
        self.assertIn("rocketmq_topic_number", self.read().names)

    def test_lane_stays(self) -> None:
        """Plain sends take the lane with metrics, too."""
        self.assertIsNotNone(self.router.lane)
        self.assertIsNotNone(self.router.meter)
