"""
The metrics of a broker, as a feature that is installed after all others.

It sees the handlers and guards of the others, and adds what it collects to the page of
the program.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker, Install
from rocketmq_tw.metrics.broker.clients import ClientMetrics
from rocketmq_tw.metrics.broker.labels import GroupLabels
from rocketmq_tw.metrics.broker.lag import LagMetrics
from rocketmq_tw.metrics.broker.messages import MessageMetrics
from rocketmq_tw.metrics.broker.pops import PopMetrics
from rocketmq_tw.metrics.broker.state import StateMetrics
from rocketmq_tw.metrics.broker.storage import StorageMetrics
from rocketmq_tw.metrics.broker.timer import TimedMessageMetrics
from rocketmq_tw.metrics.broker.transactions import TransactionMetrics
from rocketmq_tw.metrics.counters import CounterMetrics
from rocketmq_tw.metrics.creations import CreationMetrics
from rocketmq_tw.metrics.page import Collect, Page
from rocketmq_tw.metrics.requests import RequestMetrics
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.router import Router


def broker_metrics(page: Page) -> Install:
    """Return the feature that adds a broker's metrics to a page."""

    def install(broker: Broker, router: Router) -> list[Collect]:
        config, tables = broker.config, broker.tables
        target = Target.of(
            page,
            cluster=config.broker_cluster_name,
            node_type="broker",
            node_id=config.broker_name,
            more=config.metrics.labels,
        )
        labels = GroupLabels(tables.topics.is_system, config.enable_retry_topic_v2)
        messages = MessageMetrics(target, broker, labels)
        lag = LagMetrics(
            target,
            broker,
            labels,
            messages=messages,
            counts_queues=config.metrics.counts_queues,
        )
        seconds = broker.clock.seconds
        creations = CreationMetrics(target, seconds, tables.topics.is_system)
        collectors: list[Collect] = [
            StateMetrics(target, broker).collect,
            messages.collect,
            lag.collect,
            ClientMetrics(target, broker, labels).collect,
            StorageMetrics(target, broker).collect,
            CounterMetrics(target, broker.stats.gauges).collect,
            TransactionMetrics(target, broker).collect,
            TimedMessageMetrics(target, broker).collect,
            PopMetrics(target, broker).collect,
            creations.collect,
            RequestMetrics(target, router, seconds, creations.around).collect,
        ]
        for collect in collectors:
            page.add(collect)
        broker.lifecycle.on_stop.append(lambda: target.remove(collectors))
        return collectors

    return install
