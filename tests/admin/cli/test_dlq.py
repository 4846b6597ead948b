"""``rocketmq-admin dlq``."""

from __future__ import annotations

from rocketmq_tw.client import DEAD_LETTER
from tests.admin.cli.cases import CommandCase


class DeadLetterTests(CommandCase):
    """A group that fails."""

    def setUp(self) -> None:
        """Let a group fail three messages, and stop it."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.cluster.consumer("billing", "orders", lambda m: DEAD_LETTER)
        self.ids = self.send("orders", b"1", b"2", b"3")
        self.cluster.advance(5)
        self.cluster.result_of(self.cluster.clients[0].stop())

    def test_list_and_show(self) -> None:
        """Groups are listed with counts, dead letters shown in pages."""
        [queue] = self.json("dlq", "list")["queues"]
        self.assertEqual((queue["group"], queue["messages"]), ("billing", 3))
        self.assertIn("billing", self.output("dlq", "list"))
        text = self.output("dlq", "show", "billing", "--limit", "2")
        self.assertIn("there are more: --cursor", text)
        page = self.json("dlq", "show", "billing", "--body", "text")
        self.assertEqual({m["body"] for m in page["messages"]}, {"1", "2", "3"})
        self.error("dlq", "show", "nobody")

    def test_resend(self) -> None:
        """Some or all are sent again; it asks before."""
        self.assertIn("--yes", self.error("dlq", "resend", "billing", "--all", code=2))
        self.error("dlq", "resend", "billing", "--yes", code=2)
        self.output("dlq", "resend", "billing", self.ids[0], "--yes")
        self.assertEqual(len(self.cluster.messages("orders")), 4)
        self.output("dlq", "resend", "billing", "--all", "--yes")
        self.assertEqual(len(self.cluster.messages("orders")), 7)
        done = self.invoke("dlq", "resend", "billing", "0" * 32, "--yes")
        self.assertEqual(done.exit_code, 1)

    def test_resend_once(self) -> None:
        """One that is named twice is sent once."""
        self.output("dlq", "resend", "billing", self.ids[0], self.ids[0], "--yes")
        self.assertEqual(len(self.cluster.messages("orders")), 4)
