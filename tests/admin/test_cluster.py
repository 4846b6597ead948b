"""The state of name servers and brokers."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin import NothingResponded
from tests.admin.cases import AdminCase


class StatusTests(AdminCase):
    """All name servers and brokers at once."""

    name_servers = 2

    def test_all_up(self) -> None:
        """Each server is listed, with the figures that it gives."""
        self.cluster.create_topic("T")
        self.send("T", *[b"x"] * 30)
        self.cluster.advance(30)
        status = self.run_admin(self.admin.cluster.status())
        self.assertEqual([each.responds for each in status.name_servers], [True, True])
        self.assertEqual([each.brokers for each in status.name_servers], [2, 2])
        self.assertEqual([b.name for b in status.brokers], ["broker-a", "broker-b"])
        self.assertEqual(sum(broker.in_today for broker in status.brokers), 30)
        self.assertEqual(status.failed, {})
        broker = status.brokers[0]
        self.assertEqual((broker.cluster, broker.id), ("DefaultCluster", 0))
        self.assertTrue(broker.is_active)
        self.assertGreater(broker.commit_log_max, 0)
        self.assertIsNotNone(broker.earliest_message_time)

    def test_as_json(self) -> None:
        """Times are in UTC, as RFC 3339 has them."""
        status = self.run_admin(self.admin.cluster.status())
        started = msgspec.json.decode(msgspec.json.encode(status))["brokers"][0]
        self.assertEqual(started["started"], "2023-11-14T22:13:20Z")

    def test_one_broker_is_gone(self) -> None:
        """It is reported; the others are there nevertheless."""
        gone = self.unreachable("broker-b")
        status = self.run_admin(self.admin.cluster.status())
        self.assertEqual([b.name for b in status.brokers], ["broker-a"])
        self.assertEqual(list(status.failed), [gone.address])
        self.assertIn("not reachable", status.failed[gone.address])

    def test_one_name_server_is_gone(self) -> None:
        """It is listed as one that does not respond."""
        self.cluster.name_servers[1].kill()
        status = self.run_admin(self.admin.cluster.status())
        self.assertEqual([each.responds for each in status.name_servers], [True, False])
        self.assertIn("not reachable", status.name_servers[1].why)
        self.assertEqual(len(status.brokers), 2)

    def test_no_name_server(self) -> None:
        """Without any, there is only an error."""
        for node in self.cluster.name_servers:
            node.kill()
        text = self.failure(self.admin.cluster.status(), NothingResponded)
        self.assertIn("no name server responded", text)

    def test_addresses(self) -> None:
        """The registered brokers are listed without asking them."""
        brokers = self.run_admin(self.admin.cluster.brokers())
        self.assertEqual(
            [(b.name, b.address) for b in brokers],
            [("broker-a", "10.0.1.1:10911"), ("broker-b", "10.0.1.2:10911")],
        )


class ClockTests(AdminCase):
    """The clocks of brokers."""

    def test_clocks(self) -> None:
        """All hosts in memory have the same clock."""
        self.cluster.advance(100)
        clocks = self.run_admin(self.admin.cluster.clocks())
        self.assertEqual([c.broker for c in clocks.clocks], ["broker-a", "broker-b"])
        for reading in clocks.clocks:
            self.assertLessEqual(abs(reading.ahead), reading.exact_to)
