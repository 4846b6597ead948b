"""Messages, as the console finds, shows and sends them."""

from __future__ import annotations

import base64
import json
from typing import Any

from rocketmq_tw.admin.topic_changes import TopicSettings
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.console.visits import BEARER, ConsoleCase, Wire, request_bytes

#: The notice that all queues are read.
WELL = {"failing": {}, "more": 0}
#: Of the topic.
QUEUES = ["broker-a/0", "broker-a/1"]


class MessageCase(ConsoleCase):
    """A topic."""

    def setUp(self) -> None:
        """Make the topic."""
        super().setUp()
        self.cluster.create_topic("orders", 2)


class BrowseTests(MessageCase):
    """By time, by key, by id."""

    def test_by_time(self) -> None:
        """Pages follow one another until all have been shown."""
        self.send("orders", *[b"%d" % n for n in range(5)])
        path = "/api/messages?topic=orders&begin=2023-01-01T00:00:00Z&limit=2"
        seen: list[str] = []
        cursor = ""
        for size in (2, 2, 1):
            found = self.get(f"{path}&cursor={cursor}")
            self.assertEqual(len(found["items"]), size)
            seen += [each["preview"] for each in found["items"]]
            cursor = found["cursor"]
        self.assertEqual(sorted(seen), ["0", "1", "2", "3", "4"])
        self.assertIsNone(cursor)

    def test_time_zone(self) -> None:
        """A time that does not say where is refused; so is what is no cursor."""
        path = "/api/messages?topic=orders"
        for more, status in (
            ("&begin=2023-01-01T00:00:00", 400),
            ("&begin=yesterday", 400),
            ("", 400),
            ("&begin=2023-01-01T00:00:00Z&cursor=nonsense", 400),
        ):
            self.assertEqual(self.visits.get(path + more).status, status, more)

    def test_by_key(self) -> None:
        """Those with the key, and no others."""
        self.send("orders", b"a", keys=("k1", "k2"))
        self.send("orders", b"b", keys=("k2",))
        self.cluster.advance(5)
        found = self.get("/api/messages/by-key?topic=orders&key=k1")
        self.assertEqual([each["preview"] for each in found["items"]], ["a"])
        self.assertEqual(found["items"][0]["keys"], ["k1", "k2"])

    def test_by_id(self) -> None:
        """The whole message, by either kind of id, and who has consumed it."""
        body = bytes(range(256))
        [message_id] = self.send("orders", body, tag="A")
        self.cluster.advance(5)
        found = self.get(f"/api/message?id={message_id}&topic=orders")["message"]
        self.assertEqual(base64.b64decode(found["body"]), body)
        again = self.get(f"/api/message?id={found['offset_id']}")
        self.assertEqual(again["message"], found)
        self.assertEqual((again["tracks"], again["untracked"]), ([], ""))

    def test_unknown(self) -> None:
        """What there is not is said."""
        path = "/api/message?topic=orders&id="
        response = self.visits.get(f"{path}7F000001000051AF00000000000003A7")
        self.assertEqual(response.status, 404, response.body)
        response = self.visits.get(f"{path}%3Cb%3E")
        self.assertEqual(response.status, 404, response.body)
        response = self.visits.get("/api/message?id=%3Cb%3E")
        self.assertEqual(response.status, 400)
        self.assertIn("this is no id of a message", response.error)


class SendTests(MessageCase):
    """Sending a test message."""

    def test_sent(self) -> None:
        """All that a message has."""
        body = base64.b64encode(b"caf\xc3\xa9").decode()
        fields = {"tag": "A", "keys": ["k"], "properties": {"a": "b"}}
        sent = self.post("/api/message", {"topic": "orders", "body": body, **fields})
        self.assertEqual(sent["status"], "SEND_OK")
        [message] = self.cluster.messages("orders")
        self.assertEqual((message.body, message.tag), (b"caf\xc3\xa9", "A"))
        self.assertEqual(message.properties["a"], "b")

    def test_refused(self) -> None:
        """A topic is not made by a slip of the finger; an empty body is none."""
        wanted: dict[str, Any] = {"topic": "odrers", "body": "YQ=="}
        self.assertEqual(self.visits.post("/api/message", wanted).status, 404)
        wanted = {"topic": "orders", "body": ""}
        self.assertEqual(self.visits.post("/api/message", wanted).status, 400)
        wanted = {"topic": "orders", "body": "?"}
        self.assertEqual(self.visits.post("/api/message", wanted).status, 400)

    def test_large(self) -> None:
        """A message of 4 MiB arrives; the broker's limit is the limit."""
        body = base64.b64encode(b"x" * ((4 << 20) - 100)).decode()
        sent = self.post("/api/message", {"topic": "orders", "body": body})
        self.assertEqual(sent["status"], "SEND_OK")
        row = self.get("/api/messages?topic=orders&begin=2023-01-01T00:00:00Z")
        self.assertEqual(row["items"][0]["preview"], "x" * 240)
        body = base64.b64encode(b"x" * ((4 << 20) + 100)).decode()
        response = self.visits.post("/api/message", {"topic": "orders", "body": body})
        self.assertEqual(response.status, 400)


class TailTests(MessageCase):
    """Messages as they come."""

    def tail(self, query: str) -> Wire:
        """Begin a live tail."""
        self.addCleanup(self.visits.parts.site.stop)
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("GET", f"/api/tail?{query}", Authorization=BEARER))
        self.cluster.advance(1)
        return wire

    def lines(self, wire: Wire) -> list[Any]:
        """Return what came, without the first line, which says that it has begun."""
        _, _, text = wire.transport.value().partition(b"\r\n\r\n")
        lines = [json.loads(line) for line in text.split(b"\n") if line[:1] == b"{"]
        return lines[1:] if lines[:1] == [WELL] else lines

    def test_tail(self) -> None:
        """Only what comes from now on, with the tags that are asked for."""
        self.send("orders", b"before")
        wire = self.tail("topic=orders&expression=A")
        self.send("orders", b"one", tag="A")
        self.send("orders", b"two", tag="B")
        self.cluster.wait_until(lambda: self.lines(wire))
        self.cluster.advance(3)
        self.assertEqual([each["preview"] for each in self.lines(wire)], ["one"])
        self.visits.parts.site.stop()
        self.assertTrue(wire.transport.value().endswith(b"0\r\n\r\n"))

    def test_unknown_topic(self) -> None:
        """The tail does not begin: a status and a sentence say why."""
        response = self.visits.get("/api/tail?topic=nothing")
        self.assertEqual(response.status, 404)
        self.assertIn('there is no topic "nothing"', response.error)

    def test_no_broker_responds(self) -> None:
        """It does not begin either if no queue can be read."""
        self.unreachable("broker-a")
        response = self.visits.get("/api/tail?topic=orders")
        self.assertEqual(response.status, 502)
        self.assertIn("no queue can be read: broker-a/0: ", response.error)
        self.assertEqual(self.visits.get("/api/tail?topic=nothing").status, 404)

    def test_broker_away(self) -> None:
        """All queues that cannot be read are one line; one says when they are again."""
        wire = self.tail("topic=orders")
        node = self.unreachable("broker-a")
        self.cluster.wait_until(lambda: self.lines(wire))
        [notice] = self.lines(wire)
        self.assertEqual(sorted(notice["failing"]), QUEUES)
        self.assertIn("10911", notice["failing"]["broker-a/0"])
        self.send("orders", b"meanwhile")
        self.cluster.network.heal("10.0.4.1", node.host)
        self.cluster.wait_until(lambda: self.lines(wire)[-1] == WELL)
        self.assertIn("meanwhile", [each.get("preview") for each in self.lines(wire)])

    def test_queue_taken_away(self) -> None:
        """The other queue goes on; the one that is back goes on as well."""
        wire = self.tail("topic=orders")
        self.update(queues=1)
        self.cluster.wait_until(lambda: self.lines(wire))
        self.assertEqual([list(e["failing"]) for e in self.lines(wire)], [QUEUES[1:]])
        self.send("orders", b"one")
        self.cluster.wait_until(lambda: len(self.lines(wire)) == 2)
        self.assertEqual(self.lines(wire)[1]["preview"], "one")
        self.update(queues=2)
        self.cluster.wait_until(lambda: len(self.lines(wire)) == 3)
        self.assertEqual(self.lines(wire)[2], WELL)

    def test_topic_deleted(self) -> None:
        """It says so of all queues, and goes on if the topic is created again."""
        wire = self.tail("topic=orders")
        self.run_admin(self.admin.topics.delete("orders"))
        self.cluster.wait_until(lambda: self.lines(wire))
        why = self.lines(wire)[0]["failing"]
        self.assertEqual(sorted(why), QUEUES)
        self.assertIn("TOPIC_NOT_EXIST", why["broker-a/0"])
        self.run_admin(self.admin.topics.create("orders", queues=2))
        self.cluster.wait_until(lambda: self.lines(wire)[-1] == WELL)

    def test_many_queues(self) -> None:
        """Of many queues some are named, and the others counted."""
        self.cluster.create_topic("wide", 60)
        wire = self.tail("topic=wide")
        self.run_admin(self.admin.topics.delete("wide"))
        self.cluster.wait_until(lambda: self.lines(wire))
        last = self.lines(wire)[-1]
        self.assertEqual((len(last["failing"]), last["more"]), (50, 10))

    def test_refused(self) -> None:
        """The last line says why there will be no more."""
        wire = self.tail("topic=orders")
        for _ in QUEUES:
            self.cluster.broker.traffic.refuse(PullMessage, 24)
        self.send("orders", b"x", b"y")
        self.cluster.wait_until(lambda: "error" in (self.lines(wire) or [{}])[-1])
        self.assertIn("SUBSCRIPTION_NOT_EXIST", self.lines(wire)[-1]["error"])
        self.assertTrue(wire.transport.value().endswith(b"0\r\n\r\n"))

    def update(self, **settings: Any) -> None:
        """Change the topic."""
        self.run_admin(self.admin.topics.update("orders", TopicSettings(**settings)))
