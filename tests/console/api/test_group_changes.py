"""Consumer groups, created, changed and deleted."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.client import EARLIEST
from tests.console.visits import BEARER, ConsoleCase, Response

PATH = "/api/group"


class GroupChangeTests(ConsoleCase):
    """In a cluster of two brokers."""

    brokers = 2

    def request(self, method: str, path: str, body: Any = None) -> Response:
        """Ask for a change."""
        return self.visits.request(method, path, body, Authorization=BEARER)

    def known(self, group: str) -> list[dict[str, Any]]:
        """Return what brokers say of a group."""
        settings: list[dict[str, Any]] = self.get(f"{PATH}?name={group}")["details"][
            "settings"
        ]
        return settings

    def test_create(self) -> None:
        """It is there at once, at each broker, also in a list that was just fetched."""
        self.assertEqual(self.get("/api/groups")["total"], 0)
        wanted = {"name": "billing", "max_retries": 3, "ordered": True}
        done = self.post(PATH, wanted)
        self.assertEqual(done, {"done": ["broker-a", "broker-b"], "failed": {}})
        for each in self.known("billing"):
            self.assertEqual((each["max_retries"], each["ordered"]), (3, True))
            self.assertEqual((each["retry_queues"], each["may_consume"]), (1, True))
        self.assertEqual(self.get("/api/groups")["total"], 1)

    def test_refused(self) -> None:
        """What cannot be is refused with a sentence, and nothing is created."""
        self.post(PATH, {"name": "billing"})
        for wanted, status, why in (
            ({"name": "billing"}, 409, 'the group "billing" exists already'),
            ({"name": "bill ing"}, 400, 'the group "bill ing" is not allowed'),
            ({"name": "a", "max_retries": -1}, 400, "max_retries"),
            ({"name": "a", "cluster": "nowhere"}, 404, 'no cluster "nowhere"'),
            ({"name": "a", "colour": "red"}, 400, "colour"),
        ):
            response = self.visits.post(PATH, wanted)
            self.assertEqual(response.status, status, response.body)
            self.assertIn(why, response.error)
        self.assertEqual(self.get("/api/groups")["total"], 1)

    def test_change(self) -> None:
        """What is named changes; the rest stays as it is."""
        self.post(PATH, {"name": "billing", "max_retries": 3})
        change = {"name": "billing", "may_consume": False}
        response = self.request("PATCH", PATH, change)
        self.assertEqual(response.status, 200, response.body)
        for each in self.known("billing"):
            self.assertEqual((each["may_consume"], each["max_retries"]), (False, 3))
        response = self.request("PATCH", PATH, {"name": "billing"})
        self.assertEqual(response.status, 400)
        self.assertIn("name what is to be changed: may_consume", response.error)

    def test_delete(self) -> None:
        """One whose consumers are connected is deleted only if that is asked for."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"a")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 1)
        self.assertEqual(self.get("/api/groups")["total"], 1)
        response = self.request("DELETE", f"{PATH}?name=billing")
        self.assertEqual(response.status, 409)
        self.assertIn('consumers of "billing" are connected', response.error)
        self.run_admin(self.cluster.clients[-1].stop())
        self.cluster.advance(1)
        response = self.request("DELETE", f"{PATH}?name=billing")
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.json["failed"], {})
        self.assertEqual(self.get("/api/groups")["total"], 0)
        response = self.request("DELETE", f"{PATH}?name=billing")
        self.assertEqual(response.status, 404)

    def test_delete_online(self) -> None:
        """It may be asked for."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"a")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 1)
        response = self.request("DELETE", f"{PATH}?name=billing&while_online=true")
        self.assertEqual(response.status, 200, response.body)
