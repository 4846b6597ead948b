"""``rocketmq-admin topic``."""

from __future__ import annotations

from tests.admin.cli.cases import CommandCase


class TopicTests(CommandCase):
    """From creation to deletion."""

    def test_life(self) -> None:
        """A topic is created, listed, shown, changed and deleted."""
        text = self.output("topic", "create", "orders", "--queues", "2")
        self.assertEqual(text, "created at broker-a, broker-b\n")
        self.cluster.advance(1)
        self.assertIn("orders", self.output("topic", "list"))
        self.assertEqual(self.output("topic", "list", "--names"), "orders\n")
        self.output("topic", "update", "orders", "--permission", "r")
        shown = self.output("topic", "show", "orders")
        self.assertIn("10.0.1.2:10911", shown)
        details = self.json("topic", "show", "orders")
        self.assertEqual([s["permission"] for s in details["settings"]], ["r", "r"])
        self.output("topic", "delete", "orders", "--yes")
        self.assertEqual(self.json("topic", "list"), [])

    def test_create_more(self) -> None:
        """Types, attributes and brokers are passed on; a twin is refused."""
        words = ["events", "--type", "fifo", "--broker", "broker-a"]
        self.output("topic", "create", *words)
        self.cluster.advance(1)
        [topic] = self.json("topic", "list")
        self.assertEqual((topic["type"], topic["brokers"]), ("FIFO", ["broker-a"]))
        self.assertIn("exists already", self.error("topic", "create", *words))

    def test_fewer_queues(self) -> None:
        """It asks before queues are taken away that may be read."""
        self.cluster.create_topic("orders", 4)
        words = ["topic", "update", "orders"]
        self.output(*words, "--write-queues", "2")
        text = self.error(*words, "--queues", "3", code=2)
        self.assertIn("--yes", text)
        self.terminal = True
        result = self.invoke(*words, "--queues", "3", stdin="n\n")
        self.assertIn("(1 at broker-a, 1 at broker-b)", result.stderr)
        self.assertEqual(result.exit_code, 1)
        details = self.json("topic", "show", "orders")
        self.assertEqual([s["read_queues"] for s in details["settings"]], [4, 4])
        self.output(*words, "--read-queues", "3", "--yes")
        self.output(*words, "--queues", "5")
        self.error("topic", "update", "nothing", "--queues", "1")

    def test_usage(self) -> None:
        """Names that are not legal, and changes of nothing, are refused."""
        self.assertIn("a b", self.error("topic", "create", "a b", code=2))
        self.assertIn("nothing to change", self.error("topic", "update", "T", code=2))
        self.error("topic", "create", "T", "--attribute", "x", code=2)

    def test_users(self) -> None:
        """Queues, groups and producers are listed."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"1", b"2")
        self.consume("billing", "orders")
        self.cluster.advance(31)
        self.assertIn("2 messages", self.output("topic", "stats", "orders"))
        self.assertEqual(self.output("topic", "groups", "orders"), "billing\n")
        text = self.output("topic", "producers", "orders", "producers")
        self.assertIn("client-1", text)
        self.error("topic", "producers", "orders", "nobody")
