"""Consumer groups, as the console shows them."""

from __future__ import annotations

from rocketmq_tw.client import EARLIEST
from tests.console.visits import ConsoleCase


class GroupTests(ConsoleCase):
    """The list, and one of them."""

    def setUp(self) -> None:
        """Let a group consume."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.send("orders", b"a", b"b")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 2)
        self.cluster.advance(10)

    def test_list(self) -> None:
        """Those of applications, with the lag that was sampled last."""
        [row] = self.get("/api/groups")["items"]
        self.assertEqual((row["group"]["name"], row["lag"]), ("billing", None))
        self.visits.parts.sampler.lags.add("billing", 1, 7.0)
        [row] = self.get("/api/groups?search=bill")["items"]
        self.assertEqual(row["lag"], 7.0)
        self.assertGreater(self.get("/api/groups?system=true")["total"], 1)

    def test_one(self) -> None:
        """Its lag and its members."""
        found = self.get("/api/group?name=billing")
        self.assertEqual(found["lag"]["total"], 0)
        [member] = found["members"]
        self.assertEqual(member["mode"], "push")
        self.assertIn("orders", found["details"]["topics"])

    def test_unknown(self) -> None:
        """There is none of that name."""
        response = self.visits.get("/api/group?name=nobody")
        self.assertEqual(response.status, 404)
        self.assertEqual(response.error, 'there is no group "nobody"')
