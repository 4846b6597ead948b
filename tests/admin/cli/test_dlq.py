"""``rocketmq-admin dlq``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rocketmq_tw.admin.cli.dlq import _resend_all
from rocketmq_tw.admin.results.messages import DeadLetterQueues, Page, Resend, Resent
from rocketmq_tw.client import DEAD_LETTER
from rocketmq_tw.client.errors import NameServerUnavailable
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
        self.output("dlq", "resend", "billing", "--all", "--again", "--yes")
        self.assertEqual(len(self.cluster.messages("orders")), 7)
        done = self.invoke("dlq", "resend", "billing", "0" * 32, "--yes")
        self.assertEqual(done.exit_code, 1)

    def test_sent_before(self) -> None:
        """What was sent again before is skipped, and counted."""
        words = ["dlq", "resend", "billing"]
        self.output(*words, self.ids[0], "--yes")
        self.cluster.advance(1)
        text = self.output(*words, "--all", "--yes")
        self.assertIn("1 skipped, which were sent before: --again", text)
        self.assertEqual(len(self.cluster.messages("orders")), 6)
        self.cluster.advance(1)
        done = self.json(*words, self.ids[1], "--yes")
        self.assertEqual((len(done["ok"]), len(done["skipped"])), (0, 1))
        self.assertEqual(len(self.cluster.messages("orders")), 6)

    def test_resend_once(self) -> None:
        """One that is named twice is sent once."""
        self.output("dlq", "resend", "billing", self.ids[0], self.ids[0], "--yes")
        self.assertEqual(len(self.cluster.messages("orders")), 4)

    def test_resend_in_part(self) -> None:
        """What was sent is known, even if no more can be read afterwards."""
        page = self.run_admin(self.admin.dead_letters.browse("billing", limit=1))
        sent = Resent("billing", (Resend("old", "new", "orders"),), {})

        class DeadLetters:
            """Has one page, and fails at the next."""

            async def list(self) -> DeadLetterQueues:
                return DeadLetterQueues(())

            async def browse(self, *asked: object) -> Page:
                if asked[-1] is not None:
                    raise NameServerUnavailable({})
                return page

            async def resend(self, *asked: object, again: bool) -> Resent:
                return sent

        admin: Any = SimpleNamespace(dead_letters=DeadLetters(), calls=self.admin.calls)
        done = self.run_admin(_resend_all(admin, "billing", None, False))
        self.assertEqual((done.ok, list(done.failed)), (sent.ok, ["rest"]))
        self.assertIn("no name server responded", done.failed["rest"])
