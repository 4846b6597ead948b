"""Messages, as administrators look for them and send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from rocketmq_tw.admin import AdminError, InvalidArgument, NotFound, NothingResponded
from tests.admin.cases import AdminCase


class LookupTests(AdminCase):
    """By id, key, offset and time."""

    def setUp(self) -> None:
        """Send some messages, one a second."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.cluster.advance(1)
        self.begin = datetime.fromtimestamp(self.cluster.clock.seconds(), UTC)
        self.ids = []
        for number in range(12):
            body = f"body {number}".encode()
            self.ids += self.send(
                "orders", body, tag="A", keys=[f"key-{number % 3}", "all"]
            )
            self.cluster.advance(1)

    def test_by_id_of_the_producer(self) -> None:
        """It needs the topic; with it the message is found at any broker."""
        message = self.run_admin(self.admin.messages.get(self.ids[5], "orders"))
        self.assertEqual(message.body, b"body 5")
        self.assertEqual((message.tag, message.keys), ("A", ("key-2", "all")))
        self.assertEqual(message.message_id, self.ids[5])
        text = self.failure(self.admin.messages.get(self.ids[5]), InvalidArgument)
        self.assertIn("say in which topic", text)

    def test_by_offset_id(self) -> None:
        """The offset id says where the message is, so no topic is needed."""
        first = self.run_admin(self.admin.messages.get(self.ids[0], "orders"))
        again = self.run_admin(self.admin.messages.get(first.offset_id))
        self.assertEqual(again, first)

    def test_unknown_ids(self) -> None:
        """What is no id, or no message's, is an error that says so."""
        get = self.admin.messages.get
        self.assertIn("no id of a message", self.failure(get("x"), InvalidArgument))
        first = self.run_admin(get(self.ids[0], "orders"))
        wrong = first.offset_id[:-8] + "0000FFFF"
        self.failure(get(wrong), NotFound)
        for unknown in ("0" * 32, "x"):
            self.assertIn("orders", self.failure(get(unknown, "orders"), NotFound))
        self.failure(get(self.ids[0], "nothing"), NotFound)

    def test_bad_input(self) -> None:
        """What no server can do is refused before one is asked."""
        messages, now = self.admin.messages, self.begin
        self.failure(messages.by_key("orders", "all", limit=0), InvalidArgument)
        self.failure(messages.by_time("orders", now, limit=-1), InvalidArgument)
        at = messages.by_offset
        self.failure(at("orders", "broker-a", 0, 0, limit=0), InvalidArgument)
        self.failure(at("orders", "broker-a", 0, -1), InvalidArgument)

    def test_by_key(self) -> None:
        """All brokers are asked; the oldest comes first, and the limit counts."""
        find = self.admin.messages.by_key
        found = self.run_admin(find("orders", "key-1"))
        bodies = [each.body for each in found.messages]
        self.assertEqual(bodies, [b"body 1", b"body 4", b"body 7", b"body 10"])
        self.assertTrue(found.is_complete)
        some = self.run_admin(find("orders", "all", limit=3))
        self.assertEqual((len(some.messages), some.is_complete), (3, False))
        self.assertEqual(self.run_admin(find("orders", "none")).messages, ())

    def test_by_key_more_than_a_broker_returns(self) -> None:
        """It is not said to be complete if a broker returned all that it may."""
        self.cluster.create_topic("bulk", {"broker-a": 1})
        for number in range(70):
            self.send("bulk", b"%d" % number, keys=["all"])
        find = self.admin.messages.by_key
        found = self.run_admin(find("bulk", "all", limit=1000))
        self.assertEqual((len(found.messages), found.is_complete), (64, False))
        newest = self.run_admin(find("bulk", "all", limit=3))
        self.assertEqual([m.body for m in newest.messages], [b"67", b"68", b"69"])

    def test_by_key_newest(self) -> None:
        """Of several brokers the newest are returned, as each returns its newest."""
        found = self.run_admin(self.admin.messages.by_key("orders", "all", limit=3))
        bodies = [each.body for each in found.messages]
        self.assertEqual(bodies, [b"body 9", b"body 10", b"body 11"])

    def test_nobody_responds(self) -> None:
        """If no broker can be asked, that is an error."""
        self.unreachable("broker-a")
        self.unreachable("broker-b")
        messages = self.admin.messages
        self.failure(messages.by_key("orders", "all"), NothingResponded)
        self.failure(messages.by_time("orders", self.begin), NothingResponded)

    def test_by_key_in_a_span(self) -> None:
        """Only messages stored in it are found."""
        begin = self.begin + timedelta(seconds=6)
        found = self.run_admin(
            self.admin.messages.by_key("orders", "key-1", begin=begin)
        )
        self.assertEqual([m.body for m in found.messages], [b"body 7", b"body 10"])

    def test_by_time(self) -> None:
        """Pages have the order of store times over all queues, and lose nothing."""
        seen: list[bytes] = []
        cursor = None
        while True:
            page = self.run_admin(
                self.admin.messages.by_time(
                    "orders", self.begin, limit=5, cursor=cursor
                )
            )
            seen += [each.body for each in page.messages]
            cursor = page.cursor
            if cursor is None:
                break
        self.assertEqual(seen, [f"body {n}".encode() for n in range(12)])

    def test_by_time_in_a_span(self) -> None:
        """Both ends count."""
        begin = self.begin + timedelta(seconds=3)
        end = begin + timedelta(seconds=2)
        page = self.run_admin(self.admin.messages.by_time("orders", begin, end))
        self.assertEqual(
            [each.body for each in page.messages], [b"body 3", b"body 4", b"body 5"]
        )
        self.assertIsNone(page.cursor)

    def test_by_offset(self) -> None:
        """A queue is read from an offset on; what it does not hold is an error."""
        stats = self.run_admin(self.admin.topics.stats("orders"))
        queue = stats.queues[0]
        read = self.admin.messages.by_offset
        found = self.run_admin(read("orders", queue.broker, queue.queue_id, 1, 9))
        self.assertEqual([m.queue_offset for m in found], [1, 2])
        one = self.run_admin(read("orders", queue.broker, queue.queue_id, 0))
        self.assertEqual([m.queue_offset for m in one], [0])
        text = self.failure(read("orders", queue.broker, 0, 99), NotFound)
        self.assertIn("it holds 0 to 2", text)
        self.failure(read("orders", "broker-z", 0, 0), NotFound)

    def test_json(self) -> None:
        """Bodies are Base64 in JSON."""
        message = self.run_admin(self.admin.messages.get(self.ids[0], "orders"))
        decoded = msgspec.json.decode(msgspec.json.encode(message))
        self.assertEqual(decoded["body"], "Ym9keSAw")

    def test_not_readable(self) -> None:
        """A topic that may not be read is one that may not be read."""
        self.cluster.create_topic("closed", 1, perm=2)
        read = self.admin.messages.by_time("closed", self.begin)
        self.assertIn("permission r", self.failure(read, AdminError))


class SendTests(AdminCase):
    """Sending, and what becomes of it."""

    def setUp(self) -> None:
        """Create a topic."""
        super().setUp()
        self.cluster.create_topic("orders", 1)

    def test_send(self) -> None:
        """A message is sent with all that belongs to it, and found again."""
        sent = self.run_admin(
            self.admin.messages.send(
                "orders", b"hello", tag="T", keys=["k"], properties={"p": "1"}
            )
        )
        self.assertEqual(sent.status, "SEND_OK")
        found = self.run_admin(self.admin.messages.get(sent.message_id, "orders"))
        self.assertEqual((found.body, found.tag, found.keys), (b"hello", "T", ("k",)))
        self.assertEqual(found.properties["p"], "1")
        self.assertEqual(found.offset_id, sent.offset_id)

    def test_twice_at_once(self) -> None:
        """Two sends share the producer."""
        first = self.admin.messages.send("orders", b"1")
        second = self.admin.messages.send("orders", b"2")
        self.run_admin(first)
        self.run_admin(second)
        self.assertEqual(len(self.cluster.messages("orders")), 2)

    def test_unknown_topic(self) -> None:
        """It is not created."""
        text = self.failure(self.admin.messages.send("nothing", b"x"), NotFound)
        self.assertIn("nothing", text)

    def test_consume(self) -> None:
        """A consumer is given the message, and its result comes back."""
        [message_id] = self.send("orders", b"again")
        message = self.run_admin(self.admin.messages.get(message_id, "orders"))
        seen = self.consume("billing", "orders")
        self.cluster.wait_until(lambda: seen)
        seen.clear()
        [member] = self.run_admin(self.admin.groups.members("billing"))
        result = self.run_admin(
            self.admin.messages.consume("billing", member.client_id, message)
        )
        self.assertEqual((result.result, seen), ("CR_SUCCESS", [b"again"]))

    def test_track(self) -> None:
        """Each group that reads the topic is listed; see the test of tracking."""
        [message_id] = self.send("orders", b"x")
        message = self.run_admin(self.admin.messages.get(message_id, "orders"))
        self.assertEqual(self.run_admin(self.admin.messages.track(message)), ())
