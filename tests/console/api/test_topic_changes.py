"""Topics, created, changed and deleted."""

from __future__ import annotations

from typing import Any

from tests.console.visits import BEARER, ConsoleCase

PATH = "/api/topic"


class TopicChangeTests(ConsoleCase):
    """In a cluster of two brokers."""

    brokers = 2

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Do something; return what the console responds with."""
        response = self.visits.request(method, path, body, Authorization=BEARER)
        self.assertEqual(response.status, 200, response.body)
        return response.json

    def known(self, topic: str) -> list[dict[str, Any]]:
        """Return what brokers say of a topic."""
        found = self.get(f"{PATH}?name={topic}")
        settings: list[dict[str, Any]] = found["details"]["settings"]
        return settings

    def test_create(self) -> None:
        """It is there at once, at each broker, also in a list that was just fetched."""
        self.assertEqual(self.get("/api/topics")["total"], 0)
        wanted = {"name": "orders", "queues": 3, "type": "FIFO", "permission": "r"}
        done = self.post(PATH, wanted)
        self.assertEqual(done, {"done": ["broker-a", "broker-b"], "failed": {}})
        one, _ = self.known("orders")
        self.assertEqual((one["read_queues"], one["write_queues"]), (3, 3))
        self.assertEqual(one["permission"], "r")
        self.assertEqual(one["attributes"], {"message.type": "FIFO"})
        self.assertEqual(self.get("/api/topics")["total"], 1)

    def test_create_at(self) -> None:
        """A cluster, or brokers, may be chosen; one that does not exist is named."""
        done = self.post(PATH, {"name": "orders", "brokers": ["broker-b"]})
        self.assertEqual(done["done"], ["broker-b"])
        response = self.visits.post(PATH, {"name": "other", "cluster": "nowhere"})
        self.assertEqual(response.status, 404)
        self.assertIn('there is no cluster "nowhere"', response.error)

    def test_refused(self) -> None:
        """What cannot be is refused with a sentence, and nothing is created."""
        self.post(PATH, {"name": "orders"})
        for wanted, status, why in (
            ({"name": "orders"}, 409, 'the topic "orders" exists already'),
            ({"name": "or ders"}, 400, 'the topic "or ders" is not allowed'),
            ({"name": "a", "queues": 0}, 400, "queues"),
            ({"name": "a", "permission": "x"}, 400, "permission"),
            ({"name": "a", "colour": "red"}, 400, "colour"),
            ({"name": "a", "attributes": {"k": "1,-other"}}, 400, "attributes"),
            ({"name": "a", "attributes": {"k=1": "2"}}, 400, "attributes"),
            ({"name": "a", "type": "FIFO,-x"}, 400, "type"),
        ):
            response = self.visits.post(PATH, wanted)
            self.assertEqual(response.status, status, response.body)
            self.assertIn(why, response.error)
        self.assertEqual(self.get("/api/topics")["total"], 1)

    def test_change(self) -> None:
        """What is named changes at all brokers; the rest stays as it is."""
        self.post(PATH, {"name": "orders", "queues": 4})
        self.change("PATCH", PATH, {"name": "orders", "write_queues": 2})
        for each in self.known("orders"):
            self.assertEqual((each["read_queues"], each["write_queues"]), (4, 2))
        attributes = {"message.type": "DELAY"}
        change = {"name": "orders", "permission": "w", "attributes": attributes}
        self.change("PATCH", PATH, change)
        for each in self.known("orders"):
            self.assertEqual((each["permission"], each["write_queues"]), ("w", 2))
            self.assertEqual(each["attributes"], attributes)

    def test_change_nothing(self) -> None:
        """A change says what, and of which topic."""
        for wanted, status, why in (
            ({"name": "orders"}, 400, "name what is to be changed: read_queues"),
            ({"name": "orders", "ordered": True}, 404, 'no topic "orders"'),
        ):
            response = self.visits.request("PATCH", PATH, wanted, Authorization=BEARER)
            self.assertEqual(response.status, status, response.body)
            self.assertIn(why, response.error)

    def test_delete(self) -> None:
        """It is gone with its messages."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"a")
        self.assertEqual(self.get("/api/topics")["total"], 1)
        done = self.change("DELETE", f"{PATH}?name=orders")
        self.assertEqual(done, {"done": ["broker-a", "broker-b"], "failed": {}})
        self.assertEqual(self.get("/api/topics")["total"], 0)
        response = self.visits.request(
            "DELETE", f"{PATH}?name=orders", Authorization=BEARER
        )
        self.assertEqual(response.status, 404)

    def test_away(self) -> None:
        """A broker that cannot be asked is named beside what was done."""
        self.post(PATH, {"name": "orders"})
        self.unreachable("broker-b")
        done = self.change("DELETE", f"{PATH}?name=orders")
        self.assertEqual(done["done"], ["broker-a"])
        self.assertEqual(list(done["failed"]), ["broker-b"])

    def test_not_signed_in(self) -> None:
        """A cookie alone, as a forged request has, does nothing."""
        self.post(PATH, {"name": "orders"})
        session = self.visits.parts.site.sessions.sign_in(
            "a-token-for-tests", "127.0.0.1"
        )
        cookie = f"rocketmq_console={session.cookie}"
        path = f"{PATH}?name=orders"
        response = self.visits.request("DELETE", path, Cookie=cookie)
        self.assertEqual(response.status, 401)
        other = {"Cookie": cookie, "X_Console_Key": session.key}
        response = self.visits.request(
            "DELETE", path, Origin="http://evil.example", **other
        )
        self.assertEqual(response.status, 403)
        self.assertEqual(self.get("/api/topics")["total"], 1)
        self.assertEqual(self.visits.request("DELETE", path, **other).status, 200)
