"""The metrics of a name server."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.name_server import add_metrics
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.testing import MemoryCluster
from tests.metrics.reading import Reading, read
from tests.namesrv.fixtures import registration


class NameServerTests(SynchronousTestCase):
    """A name server that a broker registers with."""

    def setUp(self) -> None:
        """Start one, without brokers."""
        self.cluster = MemoryCluster(brokers=0)
        self.page = Page(self.cluster.clock)
        [self.node] = self.cluster.name_servers
        made = self.node._make_service

        def make(reactor: object) -> NamesrvService:
            service: NamesrvService = made(reactor)
            add_metrics(self.page, service)
            return service

        self.node._make_service = make  # type: ignore[method-assign]
        self.cluster.start()
        self.addCleanup(self.cluster.stop)

    def read(self) -> Reading:
        """Read a new page."""
        self.cluster.clock.advance(1)
        return read(self.cluster.result_of(self.page.collect()))

    def test_tables(self) -> None:
        """Brokers by cluster, and topics."""
        page = self.read()
        self.assertEqual(page.get("rocketmq_namesrv_topics"), 0)
        self.assertEqual(page.labels("rocketmq_namesrv_brokers"), [])
        self.cluster.call(self.node, registration("A", "B"))
        page = self.read()
        self.assertEqual(page.get("rocketmq_namesrv_topics"), 2)
        [labels] = page.labels("rocketmq_namesrv_brokers")
        self.assertEqual(labels["cluster"], "DefaultCluster")
        self.assertEqual(labels["node_type"], "namesrv")
        self.assertTrue(labels["node_id"].endswith(":9876"))

    def test_requests(self) -> None:
        """Requests by code, connections, and what was refused."""
        self.cluster.call(self.node, registration("A", "B"))
        page = self.read()
        name = "rocketmq_rpc_latency_milliseconds_count"
        self.assertEqual(page.get(name, request_code="register_broker"), 1)
        self.assertEqual(page.get("rocketmq_registrations_refused_total"), 0)
        self.assertEqual(page.get("rocketmq_connections_refused_total"), 0)

    def test_address(self) -> None:
        """The port of an endpoint string is part of the name of the node."""
        for listen, end in (("tcp:9999:interface=127.0.0.1", ":9999"), ("", ":9876")):
            page = Page(self.cluster.clock)
            config = NamesrvConfig(listen=listen)
            add_metrics(page, NamesrvService(config, self.cluster.clock))
            found = read(self.cluster.result_of(page.collect()))
            [labels] = found.labels("rocketmq_namesrv_topics")
            self.assertTrue(labels["node_id"].endswith(end))
