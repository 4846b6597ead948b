"""Installs what counts the messages of topics and groups, and shows it to tools."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.statistics.processor import StatisticsProcessor
from rocketmq_tw.broker.statistics.windows import PERIOD
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> None:
    """Register the handler, and sample the counters."""
    statistics, pacer = broker.statistics, broker.pacer
    broker.stats.gauges.update(statistics.gauges())
    StatisticsProcessor(statistics, broker.config.broker_cluster_name).routes(router)
    broker.periodic.every(
        PERIOD * 1000,
        lambda: pacer.run(statistics.sample(), None, key=statistics),
    )
