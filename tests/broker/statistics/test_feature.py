"""Tests of how statistics are installed."""

from __future__ import annotations

from rocketmq_tw.wire.requests.statistics import ViewStatistics
from tests.broker.cases import BrokerCase


class InstallTests(BrokerCase):
    """In every broker."""

    def test_installed(self) -> None:
        """There is a handler, and runtime information has the gauges."""
        self.assertIsNotNone(self.router.find(ViewStatistics.code))
        self.assertLessEqual(
            {"statistics", "statisticsRefused"}, set(self.stats.gauges)
        )
