"""``rocketmq-admin cluster``."""

from __future__ import annotations

from tests.admin.cli.cases import CommandCase


class ClusterTests(CommandCase):
    """Servers and their clocks."""

    def test_status(self) -> None:
        """All servers are listed."""
        text = self.output("cluster", "status")
        self.assertIn("10.0.0.1:9876", text)
        self.assertIn("broker-b", text)
        self.assertEqual(len(self.json("cluster", "status")["brokers"]), 2)

    def test_clocks(self) -> None:
        """Those of all brokers are compared."""
        self.assertIn("broker-a", self.output("cluster", "clocks"))
