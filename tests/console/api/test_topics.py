"""Topics, as the console shows them."""

from __future__ import annotations

from tests.console.visits import ConsoleCase


class TopicTests(ConsoleCase):
    """The list, and one of them."""

    def test_list(self) -> None:
        """Those of applications; others only if they are asked for."""
        for name in ("orders", "payments", "audit"):
            self.cluster.create_topic(name, 2)
        found = self.get("/api/topics")
        names = [each["name"] for each in found["items"]]
        self.assertEqual((names, found["total"]), (["audit", "orders", "payments"], 3))
        self.assertEqual(found["items"][1]["queues"], 2)
        found = self.get("/api/topics?search=pay&limit=1")
        self.assertEqual([each["name"] for each in found["items"]], ["payments"])
        found = self.get("/api/topics?kind=system")
        self.assertIn("SELF_TEST_TOPIC", [each["name"] for each in found["items"]])

    def test_one(self) -> None:
        """Its queues and settings."""
        self.cluster.create_topic("orders", 2)
        self.send("orders", b"a", b"b", b"c")
        found = self.get("/api/topic?name=orders")
        self.assertEqual(found["details"]["settings"][0]["write_queues"], 2)
        self.assertEqual(found["stats"]["messages"], 3)

    def test_unknown(self) -> None:
        """There is none of that name."""
        response = self.visits.get("/api/topic?name=%3Cscript%3E")
        self.assertEqual(response.status, 404)
        self.assertEqual(response.error, 'there is no topic "<script>"')
        self.assertEqual(response.headers["content-type"], "application/json")

    def test_brokers_away(self) -> None:
        """What name servers know is shown, and whose part is missing."""
        self.cluster.create_topic("orders", 2)
        self.unreachable("broker-a")
        found = self.get("/api/topic?name=orders")
        self.assertEqual(list(found["failed"]), ["broker-a"])
        [broker] = found["details"]["route"]
        self.assertEqual((broker["name"], found["groups"]), ("broker-a", []))
        self.assertEqual(found["stats"]["queues"], [])
