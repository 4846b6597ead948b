"""The metrics of a name server: its tables, its connections, its requests."""

from __future__ import annotations

import socket

from rocketmq_tw.metrics.counters import CounterMetrics
from rocketmq_tw.metrics.page import Collect, Page
from rocketmq_tw.metrics.requests import RequestMetrics
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.addresses import EndpointString
from rocketmq_tw.remoting.pacing import Steps


class NameServerMetrics:
    """Collects how many brokers and topics there are."""

    def __init__(self, target: Target, service: NamesrvService) -> None:
        self._table = service.table
        self._brokers = target.gauge(
            "rocketmq_namesrv_brokers", "Brokers that are registered", "cluster"
        )
        self._topics = target.gauge(
            "rocketmq_namesrv_topics", "Topics that brokers have registered"
        )

    def collect(self) -> Steps[None]:
        """Set all of them."""
        counts: dict[str, int] = {}
        for live in self._table.live:
            cluster = live.key.cluster
            counts[cluster] = counts.get(cluster, 0) + 1
        self._brokers.keep_only((cluster,) for cluster in counts)
        for cluster, count in counts.items():
            self._brokers.set((cluster,), count)
        self._topics.set((), self._table.size)
        yield None


def add_metrics(page: Page, service: NamesrvService) -> list[Collect]:
    """
    Add the metrics of a name server to a page.

    :param service: not started yet.
    :returns: what collects them, for tests.
    """
    config = service.config
    port = config.listen_port
    if config.listen:
        parts = EndpointString.parse(config.endpoint)
        port = parts.port if parts.has_port else port
    target = Target.of(
        page,
        cluster="",
        node_type="namesrv",
        node_id=f"{socket.gethostname()}:{port}",
        more=config.metrics.labels,
    )
    # Those have names of their own here.
    counters = {
        name: read
        for name, read in service.gauges.items()
        if name not in ("brokers", "topics")
    }
    collectors: list[Collect] = [
        NameServerMetrics(target, service).collect,
        CounterMetrics(target, counters).collect,
        RequestMetrics(target, service.router, service.seconds).collect,
    ]
    for collect in collectors:
        page.add(collect)
    return collectors
