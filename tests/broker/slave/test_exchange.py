"""Tests of the request with which brokers exchange the master's addresses."""

from __future__ import annotations

from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.requests.replication import ExchangeHaInfo, HaInfoResponse
from tests.broker.pull.test_suggestion import ReadingCase


class ExchangeTests(ReadingCase):
    """A master and its slave."""

    def said(self, node: BrokerNode, request: ExchangeHaInfo) -> HaInfoResponse:
        """Send the request to a broker."""
        return self.cluster.call(node, request)

    def test_master(self) -> None:
        """It responds with its addresses, and where its log ended at the start."""
        said = self.said(self.master, ExchangeHaInfo())
        self.assertEqual(said.master_ha_address, "10.0.1.1:10912")
        self.assertEqual(said.master_address, "10.0.1.1:10911")
        self.assertEqual(said.master_flush_offset, 0)

    def test_slave(self) -> None:
        """It follows the master that it is sent, and has nothing to say."""
        elsewhere = ExchangeHaInfo(
            master_ha_address="10.0.7.7:1", master_address="10.0.7.7:2"
        )
        said = self.said(self.slave, elsewhere)
        self.assertIsNone(said.master_ha_address)
        replication = self.slave.service._replication
        self.assertEqual(replication.master_address, "10.0.7.7:2")
        self.said(self.slave, ExchangeHaInfo())
        self.assertEqual(replication.master_address, "10.0.7.7:2")
