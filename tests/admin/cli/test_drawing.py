"""Messages, as they are printed."""

from __future__ import annotations

import click
import msgspec
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.drawing import draw_list, draw_message
from rocketmq_tw.admin.cli.output import Output
from tests.admin.cli.test_bodies import message


class DrawingTests(SynchronousTestCase):
    """One message, and many."""

    def printed(self, form: str, *, one: bool, full: bool = False) -> str:
        """Return what is printed of a hostile message."""
        hostile = msgspec.structs.replace(
            message(b"line 1\n\x1b[2Jline 2"),
            properties={"p\x1b": "v\x07"},
            tag="\x1btag",
        )

        @click.command()
        def command() -> None:
            output = Output(False, False)
            if one:
                draw_message(hostile, output, form, full)
            else:
                draw_list([hostile], output, form, full)

        return CliRunner().invoke(command, catch_exceptions=False).stdout

    def test_one(self) -> None:
        """Everything is there, and nothing controls the terminal."""
        text = self.printed("text", one=True)
        self.assertNotIn("\x1b", text)
        self.assertIn("p\\x1b", text)
        self.assertTrue(text.endswith("line 1\n\\x1b[2Jline 2\n"))

    def test_many(self) -> None:
        """A row has the beginning of the body in one line."""
        text = self.printed("auto", one=False)
        self.assertIn("line 1 \\x1b[2Jline 2", text)

    def test_full(self) -> None:
        """The body stands below its message."""
        text = self.printed("text", one=False, full=True)
        self.assertTrue(text.endswith("\nline 1\n\\x1b[2Jline 2\n"))
