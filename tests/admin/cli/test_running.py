"""Errors and their exit codes."""

from __future__ import annotations

import signal

import click
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.invocation import Surroundings
from rocketmq_tw.admin.cli.main import cli
from rocketmq_tw.admin.cli.running import confirm, exit_code, explain
from rocketmq_tw.admin.errors import (
    InvalidArgument,
    NotFound,
    NothingResponded,
    RefusedByAll,
)
from rocketmq_tw.client.errors import (
    NameServerUnavailable,
    SendError,
    ValidationError,
)
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.model.subscription import IllegalSubscription
from rocketmq_tw.remoting.errors import BrokerError, ConnectError


class ExitCodeTests(SynchronousTestCase):
    """Each kind of error has its code."""

    def test_codes(self) -> None:
        """A mistake of ours has none, and is raised."""
        codes = {
            NotFound("topic", "T"): 1,
            BrokerError(16, "no", "a:1", "R"): 1,
            RefusedByAll("it", {}): 1,
            ValidationError("x"): 2,
            IllegalTopic("a b", "why"): 2,
            IllegalSubscription("a", "why"): 2,
            InvalidArgument("a limit of 0 messages"): 2,
            UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates"): 2,
            NothingResponded("it", {}): 3,
            NameServerUnavailable({}): 3,
            ConnectError("a:1", "refused"): 3,
            SendError("T", []): 3,
        }
        for error, code in codes.items():
            self.assertEqual(exit_code(error), code, error)
        self.assertIsNone(exit_code(KeyError()))

    def test_explain(self) -> None:
        """Errors are one line without control characters."""
        error = BrokerError(16, "no\x1b[1m\nat line", "a:1", "R")
        self.assertEqual(explain(error), "a:1: NO_PERMISSION (16): no\\x1b[1m")
        self.assertEqual(
            explain(NotFound("topic", "\x1b")), 'there is no topic "\\x1b"'
        )


class ConfirmTests(SynchronousTestCase):
    """Questions before something is destroyed."""

    def test_without_a_terminal(self) -> None:
        """Nobody can be asked, so it is refused, unless it was said before."""
        with self.assertRaises(click.UsageError):
            confirm("?", yes=False, terminal=False)
        confirm("?", yes=True, terminal=False)

    def test_interrupted(self) -> None:
        """Ctrl-C ends the question, whatever a reactor has set up for it."""
        seen: list[int] = []
        before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
        self.addCleanup(signal.signal, signal.SIGINT, before)

        def ctrl_c(prompt: str) -> str:
            signal.raise_signal(signal.SIGINT)
            return "y"

        self.patch(click.termui, "visible_prompt_func", ctrl_c)
        with self.assertRaises(click.Abort):
            confirm("?", yes=False, terminal=True)
        signal.raise_signal(signal.SIGINT)
        self.assertEqual(seen, [signal.SIGINT])

    def test_exit_codes(self) -> None:
        """A question that is interrupted, and one that is answered with no."""

        def ask(reply: object) -> int:
            def prompt(text: str) -> str:
                if isinstance(reply, BaseException):
                    raise reply
                return str(reply)

            # A runner of click's would replace it.
            self.patch(click.termui, "visible_prompt_func", prompt)
            around = Surroundings(terminal=True)
            try:
                cli(["topic", "delete", "T"], obj=around)
            except SystemExit as error:
                return int(str(error.code))
            raise AssertionError("it has not ended")

        self.assertEqual(ask(KeyboardInterrupt()), 130)
        self.assertEqual(ask("n"), 1)
