"""What all commands do alike."""

from __future__ import annotations

import click
import msgspec

from rocketmq_tw.admin.cli.invocation import pairs
from tests.admin.cli.cases import CommandCase


class InvocationTests(CommandCase):
    """Results, errors, questions and looking twice."""

    def test_error(self) -> None:
        """What does not exist is an error on the other stream, with exit code 1."""
        text = self.error("topic", "show", "nothing")
        self.assertEqual(text, 'error: there is no topic "nothing"\n')

    def test_error_as_json(self) -> None:
        """Programs read errors as JSON, too."""
        text = self.error("topic", "show", "nothing", "--json")
        expected = {"error": 'there is no topic "nothing"', "kind": "NotFound"}
        self.assertEqual(msgspec.json.decode(text), expected)

    def test_in_part(self) -> None:
        """If some servers fail, the result is printed, and the exit code is 4."""
        self.unreachable("broker-b")
        result = self.invoke("cluster", "status")
        self.assertEqual(result.exit_code, 4)
        self.assertIn("broker-a", result.stdout)
        self.assertIn("warning: 10.0.1.2:10911: not reachable", result.stderr)

    def test_unreachable(self) -> None:
        """If nobody responds, the exit code is 3."""
        self.cluster.name_servers[0].kill()
        self.assertIn("no name server", self.error("topic", "list", code=3))

    def test_watch(self) -> None:
        """It looks again; as JSON each look is a line."""
        self.cluster.create_topic("T", 1)
        text = self.output("topic", "stats", "T", "--watch", "5", "--times", "3")
        self.assertEqual(text.count("stored per s"), 3)
        lines = self.output(
            "topic", "stats", "T", "--watch", "--times", "2", "--json"
        ).splitlines()
        self.assertEqual(
            [msgspec.json.decode(each)["name"] for each in lines], ["T"] * 2
        )

    def test_watch_on_a_terminal(self) -> None:
        """The screen is cleared between looks."""
        text = self.output("cluster", "status", "--watch", "--times", "2", colours=True)
        self.assertEqual(text.count("\x1b[2J"), 2)

    def test_pairs(self) -> None:
        """Settings are named."""
        self.assertEqual(pairs(("a=b=c", "d="), "x"), {"a": "b=c", "d": ""})
        for wrong in ("a", "=b"):
            self.assertRaises(click.UsageError, pairs, (wrong,), "x")


class ErrorTests(CommandCase):
    """Errors for programs."""

    def test_usage(self) -> None:
        """A value that a command refuses is JSON as any other error."""
        for words in (
            ("message", "find", "T", "--since", "yesterday"),
            ("message", "find", "T"),
            ("group", "reset", "g", "--topic", "T", "--to", "first", "--yes"),
        ):
            text = self.error(*words, "--json", code=2)
            self.assertEqual(msgspec.json.decode(text)["kind"], "UsageError")

    def test_command_line(self) -> None:
        """So is a command line that cannot be parsed, wherever the option stands."""
        for words, said in {
            ("nothing", "--json"): "No such noun 'nothing'",
            ("--json", "topic", "nothing"): "No such command 'nothing'",
            ("topic", "show", "--json"): "Missing argument 'TOPIC'",
            ("--json", "topic", "show"): "Missing argument 'TOPIC'",
            ("topic", "show", "T", "--nothing", "--json"): "No such option",
            ("--timeout", "x", "topic", "list", "--json"): "'x' is not a valid float",
            (
                "topic",
                "update",
                "T",
                "--queues",
                "0",
                "--json",
            ): "0 is not in",
        }.items():
            text = self.error(*words, code=2)
            error = msgspec.json.decode(text)
            self.assertEqual(error["kind"], "UsageError")
            self.assertIn(said, error["error"])
        self.assertIn("Usage:", self.error("topic", "show", code=2))


class RestartTests(CommandCase):
    """A cluster that is away while somebody watches."""

    def test_watch(self) -> None:
        """It is watched again when it is back."""
        [server] = self.cluster.name_servers
        clock, network = self.cluster.clock, self.cluster.network
        clock.callLater(1, network.cut, "10.0.4.1", server.host)
        clock.callLater(12, network.heal, "10.0.4.1", server.host)
        result = self.invoke("broker", "list")
        self.assertEqual(result.exit_code, 0)
        words = ("cluster", "status", "--json", "--watch", "2", "--times")
        result = self.invoke(*words, "4")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn('{"warning":"', result.stderr)
        self.assertGreaterEqual(len(result.stdout.splitlines()), 2)

    def test_never_there(self) -> None:
        """Without a first look it ends."""
        [server] = self.cluster.name_servers
        self.cluster.network.cut("10.0.4.1", server.host)
        self.error("cluster", "status", "--watch", code=3)


class IncompleteTests(CommandCase):
    """Lists of which one broker's part is missing."""

    def test_lists(self) -> None:
        """It is said whose part, and the exit code is that of a part."""
        self.cluster.create_topic("orders", 1)
        self.consume("billing", "orders")
        self.send("orders", b"x")
        self.cluster.advance(31)
        self.unreachable("broker-b")
        for words in (
            ("group", "list"),
            ("group", "lag"),
            ("group", "members", "billing"),
            ("topic", "list"),
            ("topic", "groups", "orders"),
            ("topic", "producers", "orders", "producers"),
        ):
            result = self.invoke(*words)
            self.assertEqual(result.exit_code, 4, words)
            self.assertIn("warning: broker-b: ", result.stderr)
        self.assertEqual(self.invoke("topic", "list", "--names").exit_code, 0)


class QuestionTests(CommandCase):
    """With somebody at a terminal."""

    terminal = True

    def test_asked(self) -> None:
        """Only yes does it."""
        self.cluster.create_topic("T", 1)
        self.error("topic", "delete", "T", stdin="n\n")
        self.output("topic", "show", "T")
        self.output("topic", "delete", "T", stdin="y\n")
        self.error("topic", "show", "T")

    def test_no_terminal(self) -> None:
        """Without one it is refused, and nothing is destroyed."""
        self.terminal = False
        self.cluster.create_topic("T", 1)
        self.assertIn("--yes", self.error("topic", "delete", "T", code=2))
        self.output("topic", "show", "T")
        self.output("topic", "delete", "T", "--yes")


class ArgumentTests(CommandCase):
    """Arguments, before anybody is asked."""

    def test_not_text(self) -> None:
        """Names are text in UTF-8; a body may be anything."""
        for words in (("topic", "show"), ("broker", "config", "broker-a")):
            text = self.error(*words, "a\udcff", code=2)
            self.assertIn('"a\\udcff" is not text in UTF-8', text)
        self.cluster.create_topic("orders", 1)
        self.output("message", "send", "orders", "\udcff")
        self.assertEqual(self.cluster.messages("orders")[0].body, b"\xff")

    def test_twice(self) -> None:
        """A setting is named once."""
        text = self.error("broker", "set", "broker-a", "a=1", "a=2", "--yes", code=2)
        self.assertIn('the setting "a" is named twice', text)
