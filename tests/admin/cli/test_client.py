"""``rocketmq-admin client``."""

from __future__ import annotations

from rocketmq_tw.client import EARLIEST
from tests.admin.cli.cases import CommandCase


class ClientTests(CommandCase):
    """Who is connected."""

    def test_clients(self) -> None:
        """They are listed, and a consumer says what it does."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"x")
        self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.advance(31)
        self.assertIn("billing", self.output("client", "list"))
        text = self.output("client", "show", "billing", "client-2", "--stack")
        self.assertIn("orders", text)
        self.error("client", "show", "billing", "nobody")
