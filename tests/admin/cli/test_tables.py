"""Tables, on a terminal and into a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.tables import draw_columns, draw_table

Draw = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[bool]], None]


class TableTests(SynchronousTestCase):
    """Small tables of a name and a number."""

    def printed(
        self, draw: Draw, *rows: list[str], columns: int = 80, charset: str = "utf-8"
    ) -> str:
        """Return what is printed on a terminal of some width."""

        @click.command()
        def command() -> None:
            draw(["name", "count"], rows, [False, True])

        runner = CliRunner(charset, env={"COLUMNS": str(columns), "NO_COLOR": "1"})
        return runner.invoke(command, catch_exceptions=False).stdout

    def test_columns(self) -> None:
        """Numbers stand on the right, and no blank at the end of a line."""
        text = self.printed(draw_columns, ["a", "1,000"], ["long name", "-"])
        self.assertEqual(text, "NAME       COUNT\na          1,000\nlong name      -\n")

    def test_terminal(self) -> None:
        """Headers stand above a line."""
        text = self.printed(draw_table, ["[b]x[/b]", "5"])
        self.assertEqual(text.splitlines()[0], "name      count")
        self.assertEqual(text.splitlines()[1:], ["\u2500" * 15, "[b]x[/b]      5"])
        self.assertEqual(
            self.printed(draw_table), "name  count\n" + "\u2500" * 11 + "\n"
        )

    def test_no_library(self) -> None:
        """What fits needs no library: it would take 0.6 s for 2,000 rows."""
        self.forget("rich")
        self.printed(draw_table, *[["x" * 20, str(n)] for n in range(2000)])
        self.assertNotIn("rich", sys.modules)

    def forget(self, name: str) -> None:
        """Let a package be imported again, until the test ends."""
        kept = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == name}
        for each in kept:
            del sys.modules[each]
        self.addCleanup(sys.modules.update, kept)

    def test_narrow(self) -> None:
        """What does not fit is folded: nothing is lost."""
        text = self.printed(draw_table, ["x" * 50, "5"], columns=30)
        self.assertEqual(text.count("x"), 50)
        self.assertLessEqual(max(map(len, text.splitlines())), 30)

    def test_very_narrow(self) -> None:
        """Where folded cells could not be read, each value has a line."""
        text = self.printed(draw_table, ["x" * 9, "5"], ["y", "6"], columns=12)
        self.assertEqual(text, "name   xxxxxxxxx\ncount  5\n\nname   y\ncount  6\n")

    def test_wide_characters(self) -> None:
        """A character that takes two columns moves nothing."""
        lines = self.printed(
            draw_table, ["\u8ba2\u5355", "5"], ["ab", "6"]
        ).splitlines()
        self.assertEqual(len(lines[2]) + 2, len(lines[3]))

    def test_poor_terminal(self) -> None:
        """A terminal without UTF-8 gets ASCII, one without attributes no escapes."""
        text = self.printed(draw_table, ["a", "5"], charset="ascii")
        self.assertIn("-----------", text)

        @click.command()
        def command() -> None:
            draw_table(["name"], [["a"]], [False])

        for term, has_escapes in (("dumb", False), ("xterm", True)):
            done = CliRunner(env={"TERM": term}).invoke(command, color=True)
            self.assertEqual("\x1b" in done.stdout, has_escapes)
        done = CliRunner(env={"NO_COLOR": "1"}).invoke(command, color=True)
        self.assertNotIn("\x1b", done.stdout)
