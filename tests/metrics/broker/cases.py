"""A broker with metrics, on a clock."""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.broker.broker import Install
from rocketmq_tw.metrics.broker.feature import broker_metrics
from rocketmq_tw.metrics.page import FRESH, Page
from tests.broker.cases import BrokerCase
from tests.metrics.reading import Reading, read


class MetricsCase(BrokerCase):
    """
    Has a running broker, and reads its metrics.

    :cvar limit: series of one metric.
    """

    limit = 50_000

    def more_features(self) -> Sequence[Install]:
        """Measure, on a new page."""
        self.page = Page(self.clock, self.limit)
        return (broker_metrics(self.page),)

    def read(self) -> Reading:
        """Read a new page."""
        self.clock.advance(FRESH)
        asked = self.page.collect()
        self.clock.pump([0.001] * 20)
        return read(self.successResultOf(asked))
