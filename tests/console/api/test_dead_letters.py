"""Dead letters, looked at and sent again."""

from __future__ import annotations

from rocketmq_tw.client import EARLIEST
from tests.console.visits import ConsoleCase


class DeadLetterTests(ConsoleCase):
    """A group that fails, until its program is repaired."""

    def setUp(self) -> None:
        """Let two messages become dead letters."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.is_repaired = False
        self.seen: list[bytes] = []
        self.send("orders", b"a", b"b")
        self.cluster.consumer(
            "billing", "orders", self.handle, start_from=EARLIEST, max_retries=0
        )
        self.cluster.advance(30)
        self.flushLoggedErrors(ValueError)
        self.assertEqual(len(self.cluster.messages("%DLQ%billing")), 2)

    def handle(self, message: object) -> None:
        """Fail, or consume."""
        if not self.is_repaired:
            raise ValueError("this order cannot be billed")
        self.seen.append(message.body)  # type: ignore[attr-defined]

    def test_list(self) -> None:
        """The group, with the number of its dead letters."""
        found = self.get("/api/dead-letters")
        [queue] = found["items"]
        self.assertEqual((queue["group"], queue["messages"]), ("billing", 2))
        self.assertEqual(self.get("/api/dead-letters?search=other")["total"], 0)

    def test_resend(self) -> None:
        """They go to the topic in which they were, and are consumed."""
        found = self.get("/api/dead-letters/messages?group=billing")
        self.assertEqual([each["preview"] for each in found["items"]], ["a", "b"])
        self.assertEqual({each["origin"] for each in found["items"]}, {"orders"})
        self.is_repaired = True
        ids = [each["offset_id"] for each in found["items"]]
        done = self.post("/api/dead-letters/resend", {"group": "billing", "ids": ids})
        self.assertEqual((len(done["ok"]), done["failed"]), (2, {}))
        self.cluster.wait_until(lambda: len(self.seen) == 2)
        self.assertEqual(self.seen, [b"a", b"b"])
        copy = self.cluster.messages("orders")[-1]
        self.assertEqual(copy.properties["RESENT_OF_GROUP"], "billing")

    def test_refused(self) -> None:
        """What is no dead letter of the group is named; none at all, or too many."""
        path = "/api/dead-letters/resend"
        done = self.post(path, {"group": "billing", "ids": ["nothing"]})
        self.assertEqual((done["ok"], list(done["failed"])), ([], ["nothing"]))
        response = self.visits.post(path, {"group": "nobody", "ids": ["x"]})
        self.assertEqual(response.status, 404)
        self.assertIn('there is no group "nobody"', response.error)
        for ids in ([], ["x"] * 101):
            response = self.visits.post(path, {"group": "billing", "ids": ids})
            self.assertEqual(response.status, 400)
