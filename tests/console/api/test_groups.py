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

    def test_brokers_away(self) -> None:
        """Nothing of it is known but its samples; why that is so is said."""
        self.unreachable("broker-a")
        found = self.get("/api/group?name=billing")
        self.assertEqual(list(found["failed"]), ["broker-a"])
        self.assertEqual(found["details"]["settings"], [])
        self.assertEqual((found["lag"]["queues"], found["members"]), ([], []))

    def test_no_broker(self) -> None:
        """If none is registered, nobody can say that there is no such group."""
        self.cluster.broker.stop()
        self.cluster.advance(1)
        response = self.visits.get("/api/group?name=billing")
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.json["details"]["settings"], [])


class ResetTests(ConsoleCase):
    """Where a group continues."""

    def setUp(self) -> None:
        """Let a group consume all there is, and leave."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"a", b"b", b"c")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 3)
        self.cluster.advance(6)
        self.run_admin(self.cluster.clients[-1].stop())

    def plan(self, to: str) -> dict[str, object]:
        """Ask what a reset would do."""
        wanted = {"group": "billing", "topic": "orders", "to": to}
        plan: dict[str, object] = self.post("/api/group/plan-reset", wanted)
        return plan

    def test_plan(self) -> None:
        """A plan changes nothing; it says what would be read again, or never."""
        plan = self.plan("earliest")
        self.assertEqual((plan["again"], plan["skipped"], plan["online"]), (3, 0, 0))
        self.assertEqual(self.get("/api/group?name=billing")["lag"]["total"], 0)
        self.send("orders", b"d")
        self.assertEqual(self.plan("latest")["skipped"], 1)
        self.assertEqual(self.plan("2020-01-01T00:00:00+01:00")["again"], 3)

    def test_reset(self) -> None:
        """What was looked at is done."""
        done = self.post("/api/group/reset", self.plan("earliest"))
        self.assertEqual((len(done["queues"]), done["failed"]), (1, {}))
        seen = self.consume("billing", "orders")
        self.cluster.wait_until(lambda: len(seen) == 3)

    def test_refused(self) -> None:
        """What is no position is named, before anybody is asked."""
        for to in ("sometime", "2020-01-01T00:00:00", "17"):
            wanted = {"group": "billing", "topic": "orders", "to": to}
            response = self.visits.post("/api/group/plan-reset", wanted)
            self.assertEqual(response.status, 400)
            self.assertIn("expected earliest, latest", response.error)
