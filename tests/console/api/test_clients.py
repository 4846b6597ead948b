"""Connected clients."""

from __future__ import annotations

from tests.console.visits import ConsoleCase


class ClientTests(ConsoleCase):
    """The list, and one of them."""

    def setUp(self) -> None:
        """Let a producer and a consumer connect."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.send("orders", b"a")
        self.consume("billing", "orders")
        self.cluster.advance(31)

    def test_list(self) -> None:
        """Both are found by their groups."""
        found = self.get("/api/clients")
        self.assertEqual(found["failed"], {})
        groups = {
            group
            for each in found["items"]
            for group in each["produces"] + each["consumes"]
        }
        self.assertLessEqual({"billing", "producers"}, groups)
        [one] = self.get("/api/clients?search=billing")["items"]
        self.assertEqual(one["consumes"], ["billing"])

    def test_one(self) -> None:
        """A consumer says what it reads."""
        [one] = self.get("/api/clients?search=billing")["items"]
        found = self.get(f"/api/client?group=billing&id={one['client_id']}")
        self.assertEqual(found["client_id"], one["client_id"])
        self.assertIn("orders", [each["topic"] for each in found["queues"]])
        response = self.visits.get("/api/client?group=billing&id=nobody")
        self.assertEqual(response.status, 404)
