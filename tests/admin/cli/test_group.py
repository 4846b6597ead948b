"""``rocketmq-admin group``."""

from __future__ import annotations

from rocketmq_tw.client import EARLIEST
from rocketmq_tw.wire.requests.consumer import ResetOffsets
from tests.admin.cli.cases import CommandCase


class GroupTests(CommandCase):
    """A group that consumes."""

    def setUp(self) -> None:
        """Let a group consume four messages."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.send("orders", *[b"x"] * 4)
        self.seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(self.seen) == 4)
        self.cluster.advance(10)

    def test_lists(self) -> None:
        """Groups, settings, members and lag."""
        self.assertIn("billing", self.output("group", "list"))
        self.assertIn("TOOLS_CONSUMER", self.output("group", "list", "--all"))
        self.assertIn("orders", self.output("group", "show", "billing"))
        self.assertIn("client-2", self.output("group", "members", "billing"))
        text = self.output("group", "lag", "billing", "--topic", "orders")
        self.assertIn("lag 0, ", text)
        self.assertEqual(text.count("client-2"), 2)
        self.assertIn("1 connected", text)
        lags = self.json("group", "lag")
        self.assertEqual(
            [(g["group"], g["total"], g["queues"]) for g in lags["groups"]],
            [("billing", 0, [])],
        )
        self.assertIn("billing", self.output("group", "lag"))

    def test_hung_member(self) -> None:
        """The table says that a member has not responded, and so does the JSON."""
        [member] = self.run_admin(self.admin.groups.members("billing"))
        for node in self.cluster.brokers.values():
            self.cluster.network.cut(member.address.split(":")[0], node.host)
        result = self.invoke("group", "lag", "billing", "--topic", "orders")
        self.assertEqual(result.exit_code, 0)
        self.assertEqual(result.stdout.count("no response"), 2)
        self.assertIn("does not say which queues it reads: no resp", result.stderr)
        lag = self.json("group", "lag", "billing", "--topic", "orders")
        self.assertEqual({q["owner_unknown"] for q in lag["queues"]}, {True})
        self.assertEqual(len(lag["unresponsive"]), 1)

    def test_life(self) -> None:
        """A group is created, changed, copied and deleted."""
        self.output("group", "create", "copy", "--max-retries", "3")
        self.output("group", "update", "copy", "--no-consume")
        [first, _] = self.json("group", "show", "copy")["settings"]
        self.assertEqual((first["max_retries"], first["may_consume"]), (3, False))
        text = self.output("group", "clone", "billing", "copy", "--yes")
        self.assertEqual(text, "offsets copied in orders\n")
        self.assertIn("nobody", self.output("group", "members", "copy"))
        self.output("group", "delete", "copy", "--yes")
        self.error("group", "show", "copy")
        self.error("group", "delete", "billing", "--yes")

    def test_reset(self) -> None:
        """A dry run says what would happen, a reset does it."""
        words = ["group", "reset", "billing", "--topic", "orders", "--to"]
        text = self.output(*words, "earliest", "--dry-run")
        self.assertIn("4 read again", text)
        self.assertIn("--yes", self.error(*words, "earliest", code=2))
        self.seen.clear()
        done = self.json(*words, "earliest", "--yes")
        self.assertEqual([q["target"] for q in done["queues"]], [0, 0])
        self.cluster.wait_until(lambda: len(self.seen) == 4)
        self.error(*words, "first", "--yes", code=2)
        text = self.output(*words, "1h-ago", "--yes")
        self.assertIn("broker-b", text)

    def test_usage(self) -> None:
        """What contradicts itself is refused."""
        self.error("group", "lag", "--topic", "orders", code=2)
        text = self.error("group", "lag", "--times", "2", code=2)
        self.assertIn("--times needs --watch", text)
        self.error("group", "update", "billing", code=2)

    def test_reset_refused(self) -> None:
        """If no queue is reset, that is a failure and not a part."""
        for node in self.cluster.brokers.values():
            node.traffic.refuse(ResetOffsets, 1)
        words = ["group", "reset", "billing", "--topic", "orders", "--to", "latest"]
        self.assertIn("no queue is reset: broker-a/0", self.error(*words, "--yes"))

    def test_reset_too_long_ago(self) -> None:
        """A time before there were any is an error that says so."""
        words = ["group", "reset", "billing", "--topic", "orders", "--dry-run", "--to"]
        text = self.error(*words, "999999w-ago", code=2)
        self.assertIn("is no time", text)
