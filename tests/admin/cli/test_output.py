"""What is printed, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click
import msgspec
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.output import (
    LONGEST_CELL,
    Cell,
    Output,
    cell,
    moment,
    print_error,
)


class OutputTests(SynchronousTestCase):
    """Tables, fields and texts."""

    def printed(self, terminal: bool, *rows: list[Cell]) -> str:
        """Return what a table prints."""

        @click.command()
        def command() -> None:
            Output(False, terminal).table(["name", "count"], rows)

        return CliRunner().invoke(command, catch_exceptions=False).stdout

    def test_columns(self) -> None:
        """Into a pipe tables are columns; numbers stand on the right."""
        text = self.printed(False, ["a", 1000], ["long name", None])
        self.assertEqual(text, "NAME       COUNT\na          1,000\nlong name      -\n")

    def test_terminal(self) -> None:
        """On a terminal they are drawn; brackets are no markup."""
        text = self.printed(True, ["[bold]x[/bold]", 5])
        self.assertIn("[bold]x[/bold]", text)
        self.assertIn("───", text)

    def test_empty(self) -> None:
        """A table without rows has its headers."""
        self.assertEqual(self.printed(False), "NAME  COUNT\n")

    def test_hostile(self) -> None:
        """Whatever controls a terminal is escaped, and what is long is cut."""
        hostile = "a\x1b]0;title\x07\u202eb\nc\r\x9bd"
        for terminal in (False, True):
            text = self.printed(terminal, [hostile, 1])
            for char in "\x1b\x07\u202e\r\x9b":
                self.assertNotIn(char, text)
        self.assertLessEqual(len(cell("x" * 10_000)), LONGEST_CELL + 3)

    def test_cells(self) -> None:
        """Values become texts."""
        values: list[Cell] = [None, True, False, 1234567, 0.5, ["a", "b"], "", []]
        texts = ["-", "yes", "no", "1,234,567", "0.50", "a, b", "-", "-"]
        self.assertEqual([cell(each) for each in values], texts)
        self.assertEqual(moment(None), "-")
        self.assertRegex(
            cell(datetime(2026, 11, 28, tzinfo=UTC)), r"2026-11-\d\d \d\d:\d\d:00"
        )

    def test_block(self) -> None:
        """Texts of others keep their lines, and nothing else of their own."""

        @click.command()
        def command() -> None:
            Output(False, True).block("a\tb\r\n\x1b[2Jc")

        text = CliRunner().invoke(command, catch_exceptions=False).stdout
        self.assertEqual(text, "a       b\n\\x1b[2Jc\n")

    def test_hostile_names(self) -> None:
        """Names of fields come from others, too."""
        text = self.output_of(lambda output: output.fields([("a\x1b[2J", 1)]))
        self.assertEqual(text, "a\\x1b[2J  1\n")

    def test_hostile_json(self) -> None:
        """JSON stays the same, without a character that controls a terminal."""
        hostile = "\x9b2J\u202e\x7f\x1b"
        text = self.output_of(lambda output: output.json([hostile]))
        self.assertTrue(text.replace("\n", "").isprintable())
        self.assertEqual(msgspec.json.decode(text), [hostile])

    def test_json_in_any_encoding(self) -> None:
        """What an encoding does not have is escaped, as JSON escapes it."""

        @click.command()
        def command() -> None:
            output = Output(True, False)
            output.json(["\u00e9\u8ba2\U0001f600"])
            output.warn("\u8ba2")
            print_error("\u8ba2", "Some")

        for charset in ("utf-8", "latin-1", "ascii"):
            done = CliRunner(charset).invoke(command, catch_exceptions=False)
            text = msgspec.json.decode(done.stdout)
            self.assertEqual(text, ["\u00e9\u8ba2\U0001f600"])
            warning, error = map(msgspec.json.decode, done.stderr.splitlines())
            self.assertEqual(warning, {"warning": "\u8ba2"})
            self.assertEqual(error, {"error": "\u8ba2", "kind": "Some"})

    def test_nearly_nothing(self) -> None:
        """A number that is rounded to nothing has no sign."""
        self.assertEqual(
            [cell(-0.001), cell(-0.01), cell(1e300)[:3]], ["0.00", "-0.01", "1,0"]
        )

    def output_of(self, use: Callable[[Output], None]) -> str:
        """Return what is printed."""

        @click.command()
        def command() -> None:
            use(Output(True, False))

        return CliRunner().invoke(command, catch_exceptions=False).stdout
