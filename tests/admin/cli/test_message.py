"""``rocketmq-admin message``."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin.topic_changes import TopicSettings
from rocketmq_tw.client import EARLIEST
from tests.admin.cli.cases import CommandCase


class MessageTests(CommandCase):
    """Found, shown, sent and followed."""

    def setUp(self) -> None:
        """Send some messages."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.ids = self.send("orders", b'{"n":1}', b"two", keys=["k"], tag="A")
        self.cluster.advance(1)

    def test_show(self) -> None:
        """A message is shown by its id, with its body as asked for."""
        text = self.output("message", "show", self.ids[0], "--topic", "orders")
        self.assertIn('"n": 1', text)
        words = ["message", "show", self.ids[0], "--topic", "orders"]
        self.assertIn("7b 22 6e", self.output(*words, "--body", "hex"))
        self.assertEqual(self.json(*words, "--body", "json")["body"], {"n": 1})
        text = self.error("message", "show", self.ids[0], code=2)
        self.assertIn("say in which topic", text)
        self.error("message", "show", "0" * 32, "--topic", "orders")

    def test_find(self) -> None:
        """By key, and by time page by page."""
        self.assertIn("two", self.output("message", "find", "orders", "--key", "k"))
        words = ["message", "find", "orders", "--since", "1h-ago", "--limit", "1"]
        self.assertIn("--cursor", self.output(*words))
        page = self.json(*words)
        more = self.json(*words, "--cursor", page["cursor"])
        found = [m["message_id"] for m in (*page["messages"], *more["messages"])]
        self.assertEqual(sorted(found), sorted(self.ids))
        words = ["message", "find", "orders", "--since", "1h-ago"]
        text = self.error(*words, "--until", "2h-ago", code=2)
        self.assertIn("--until is before --since", text)
        self.error("message", "find", "orders", code=2)
        self.error("message", "find", "orders", "--since", "then", code=2)

    def test_at(self) -> None:
        """By offset of a queue."""
        self.assertIn(
            "body 7", self.output("message", "at", "orders", "broker-a/0", "0")
        )
        found = self.json("message", "at", "orders", "broker-b/0", "0", "--limit", "5")
        self.assertEqual(len(found), 1)
        self.error("message", "at", "orders", "broker-a/0", "7")
        self.error("message", "at", "orders", "broker-a", "7", code=2)

    def test_send(self) -> None:
        """From an argument, a file or the standard input."""
        words = ["message", "send", "orders"]
        sent = self.json(*words, "hello", "--property", "p=1", "--key", "new")
        shown = self.json("message", "show", sent["message_id"], "--topic", "orders")
        self.assertEqual((shown["body"], shown["keys"]), ("aGVsbG8=", ["new"]))
        self.output(*words, stdin=b"\x00from stdin")
        self.assertIn(
            b"\x00from stdin", [m.body for m in self.cluster.messages("orders")]
        )
        self.output(*words, "-", stdin=b"as - says")
        self.assertIn(b"as - says", [m.body for m in self.cluster.messages("orders")])
        self.error("message", "send", "nothing", "x")
        self.error(*words, "-", "--file", __file__, code=2)
        self.error(*words, "x", "--file", __file__, code=2)

    def test_send_too_much(self) -> None:
        """No more is read than a message may have."""
        words = ["message", "send", "orders", "-"]
        text = self.error(*words, stdin=b"x" * ((4 << 20) + 1), code=2)
        self.assertIn("the body has more than 4 MiB", text)
        self.output(*words, stdin=b"x" * ((4 << 20) - 64))

    def test_send_from_terminal(self) -> None:
        """Who is to type the body gets to know that."""
        self.terminal = True
        text = self.invoke("message", "send", "orders", stdin=b"typed").stderr
        self.assertIn("the body is read from here; Ctrl-D ends it", text)
        text = self.invoke("message", "send", "orders", "given").stderr
        self.assertEqual(text, "")

    def test_tail(self) -> None:
        """Messages are printed as they come."""
        for delay, number in ((5, 1), (6, 2)):
            self.cluster.clock.callLater(delay, self.send_later, b"new %d" % number)
        lines = self.output(
            "message", "tail", "orders", "--count", "2", "--json"
        ).splitlines()
        self.assertEqual(len([msgspec.json.decode(line) for line in lines]), 2)
        self.cluster.clock.callLater(5, self.send_later, b"and so on")
        text = self.output(
            "message", "tail", "orders", "--count", "1", "--sql", "n = 1"
        )
        self.assertIn("and so on", text)
        self.error("message", "tail", "orders", "--tag", "A", "--sql", "a = 1", code=2)

    def test_tail_goes_on(self) -> None:
        """A queue that is taken away is named on the standard error."""

        self.cluster.create_topic("orders", 2)
        admin = self.make_admin()

        def lower() -> None:
            admin.topics.update("orders", TopicSettings(queues=1))

        self.cluster.clock.callLater(1, lower)
        self.cluster.clock.callLater(40, self.send_later, b"last")
        self.cluster.clock.callLater(40, self.send_later, b"last")
        result = self.invoke("message", "tail", "orders", "--count", "1")
        self.assertEqual(result.exit_code, 0)
        self.assertIn("last", result.stdout)
        self.assertIn("warning: broker-a/", result.stderr)

    def send_later(self, body: bytes) -> None:
        """Send a message while a command runs."""
        from rocketmq_tw.model.message import Message

        self.producer().send(Message("orders", body, properties={"n": "1"}))

    def test_consumption(self) -> None:
        """Groups are tracked, and a consumer is given a message."""
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 2)
        self.cluster.advance(10)
        words = [self.ids[0], "--topic", "orders"]
        self.assertIn("consumed", self.output("message", "track", *words))
        text = self.output(
            "message", "consume", words[0], "billing", "client-2", *words[1:]
        )
        self.assertIn("CR_SUCCESS", text)
