"""``rocketmq-admin broker``."""

from __future__ import annotations

from tests.admin.cli.cases import CommandCase


class BrokerTests(CommandCase):
    """Settings and statistics."""

    def test_reading(self) -> None:
        """All or some of them are printed."""
        self.assertIn("10.0.1.2:10911", self.output("broker", "list"))
        text = self.output("broker", "config", "broker-a", "brokerName")
        self.assertEqual(text, "# 10.0.1.1:10911\nbrokerName  broker-a\n")
        self.assertIn("bootTimestamp", self.output("broker", "stats", "broker-a"))
        text = self.output("broker", "replication", "broker-a")
        self.assertIn("role", text)
        self.error("broker", "config", "nobody")

    def test_watched(self) -> None:
        """What one looks at twice is printed again."""
        for words in (
            ("broker", "list"),
            ("broker", "stats", "broker-a", "bootTimestamp"),
            ("broker", "replication", "broker-a"),
            ("topic", "list"),
        ):
            once = self.output(*words)
            text = self.output(*words, "--watch", "1", "--times", "2")
            self.assertEqual(text.count(once.splitlines()[0]), 2, text)

    def test_changes(self) -> None:
        """A refusal is exit code 1; writes are forbidden and allowed."""
        words = ["broker", "set", "broker-a", "listenPort=1"]
        self.assertIn("listenPort", self.error(*words, "--yes"))
        self.error(*words, code=2)
        self.output("broker", "forbid-writes", "broker-a", "--yes")
        self.output("broker", "allow-writes", "broker-a")
