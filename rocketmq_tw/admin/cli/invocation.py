"""
One command as it runs: its options, its client, and what it prints.

A command asks the cluster for a result and says how to draw it. With ``--json`` the
result itself is printed, and drawing is left out; with ``--watch`` both are repeated.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.exceptions import Exit

from rocketmq_tw.admin.cli.options import (
    COMMON,
    Options,
    Seconds,
    take_common,
    target_of,
)
from rocketmq_tw.admin.cli.output import Output, print_error
from rocketmq_tw.admin.cli.running import (
    CLOSED_PIPE,
    IN_PART,
    OK,
    REFUSED,
    UNREACHABLE,
    Runner,
    Work,
    confirm,
    exit_code,
    explain,
    is_terminal,
    run_in_reactor,
)
from rocketmq_tw.admin.cli.streams import discard_output, is_closed_pipe
from rocketmq_tw.model.log_safe import log_safe

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient

T = TypeVar("T")

#: Seconds between two looks, unless the option says so.
LOOK = 2.0
#: Brokers say so of requests that are not signed.
_UNSIGNED = re.compile("username cannot be null|No accessKey is configured")
_SIGN = "the requests are not signed: give --access-key"


class Surroundings:
    """
    What a program has around it; tests have others.

    :ivar run: runs the work of a command.
    :ivar terminal: whether questions can be asked; None looks at the standard input.
    :ivar colours: whether results are seen on a terminal; None looks at the output.
    """

    def __init__(
        self,
        run: Runner = run_in_reactor,
        terminal: bool | None = None,
        colours: bool | None = None,
    ) -> None:
        self.run = run
        self.terminal = terminal
        self.colours = colours


class Invocation:
    """
    One command, as it runs.

    :ivar output: prints.
    """

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings
        self._is_signed = False
        self.output = Output(bool(options.as_json), surroundings.colours)

    @property
    def as_json(self) -> bool:
        """Whether JSON is asked for."""
        return self.output.as_json

    def show(
        self,
        ask: Callable[[AdminClient], Awaitable[T]],
        draw: Callable[[T, Output], None],
        *,
        watch: float | None = None,
        times: int | None = None,
        to_json: Callable[[T], Any] | None = None,
    ) -> None:
        """
        Ask for a result, print it, and end with the exit code.

        :param watch: seconds after which it is asked for again, also if no server can
            be reached meanwhile; None asks once.
        :param times: how often; None until the command is interrupted.
        :param to_json: returns what is printed as JSON, if not the result itself.
        """

        if times is not None and watch is None:
            raise click.UsageError("--times needs --watch")

        def print_once(result: T) -> None:
            if self.as_json:
                value = result if to_json is None else to_json(result)
                self.output.json(value, one_line=watch is not None)
            else:
                draw(result, self.output)
            failed = getattr(result, "failed", {})
            self.output.failed(failed)
            if any(map(self._lacks_signature, failed.values())):
                self.output.warn(_SIGN)

        async def look(admin: AdminClient, *, is_first: bool) -> int:
            try:
                result = await ask(admin)
            except Exception as error:
                if is_first or exit_code(error) != UNREACHABLE:
                    raise
                # One watches a restart to its end.
                self.output.warn(explain(error))
                return UNREACHABLE
            if watch is not None and not self.as_json:
                self.output.clear()
            print_once(result)
            return _code_of(result)

        async def work(admin: AdminClient) -> int:
            code = await look(admin, is_first=True)
            looks = 1
            while watch is not None and looks != times:
                await _sleep(admin, watch)
                code = await look(admin, is_first=False)
                looks += 1
            return code

        self.run(work)

    def run(self, work: Work) -> None:
        """
        Run the work of the command.

        :raises Exit: always, with the exit code.
        """
        target = target_of(self._options)
        self._is_signed = target.credentials is not None
        try:
            code = self._surroundings.run(target, work)
        except OSError as error:
            discard_output()
            if is_closed_pipe(error):
                raise Exit(CLOSED_PIPE) from None
            self.print_error(str(error), type(error).__name__)
            code = REFUSED
        except Exception as error:
            found = exit_code(error)
            if found is None:
                raise
            text = explain(error)
            if self._lacks_signature(text):
                text += f"; {_SIGN}"
            self.print_error(text, type(error).__name__)
            code = found
        raise Exit(code)

    def _lacks_signature(self, why: str) -> bool:
        """Whether requests were refused as nobody has signed them."""
        return not self._is_signed and _UNSIGNED.search(why) is not None

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before something is destroyed; see :func:`.running.confirm`."""
        confirm(question, yes=yes, terminal=self._has_terminal)

    @property
    def _has_terminal(self) -> bool:
        """Whether somebody can be asked."""
        terminal = self._surroundings.terminal
        return is_terminal() if terminal is None else terminal

    def note_input(self, what: str) -> None:
        """Say on a terminal that something is read from it, and how that ends."""
        if self._has_terminal:
            click.echo(f"{what} is read from here; Ctrl-D ends it", err=True)

    def secret(self, question: str) -> str:
        """
        Ask for a new password, twice, without showing it.

        :raises click.UsageError: there is no terminal on which to ask.
        """
        if not self._has_terminal:
            raise click.UsageError("there is no terminal: give --password-file")
        return str(
            click.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        )

    def print_error(self, text: str, kind: str) -> None:
        """Print why the command failed, for people or for programs."""
        if self.as_json:
            print_error(text, kind)
        else:
            click.echo(f"error: {text}", err=True)


def _code_of(result: object) -> int:
    """Return the exit code of a result."""
    return IN_PART if getattr(result, "failed", None) else OK


def _sleep(admin: AdminClient, seconds: float) -> Awaitable[None]:
    """Wait for the next look."""
    from twisted.internet.defer import Deferred

    waited: Deferred[None] = Deferred(lambda _: timer.cancel())
    timer = admin.calls.session.clock.callLater(seconds, waited.callback, None)
    return waited


class Leaf(click.Command):
    """A command at the end of the line: it also takes the options of the root."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += COMMON()

    def invoke(self, ctx: click.Context) -> Any:
        """Call the function with its invocation, and its own arguments."""
        assert self.callback is not None
        options = take_common(ctx, ctx.params)
        own = {n: v for n, v in ctx.params.items() if n not in _COMMON_NAMES}
        _check_texts(own)
        surroundings = ctx.find_object(Surroundings) or Surroundings()
        return self.callback(Invocation(options, surroundings), **own)


_COMMON_NAMES = frozenset(Options.__struct_fields__)
#: Arguments that may have any bytes.
_BYTES = frozenset(("body", "password_file"))


def _check_texts(values: Mapping[str, Any]) -> None:
    """Check that arguments are text. :raises click.UsageError: one is not."""
    for name, value in values.items():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and name not in _BYTES:
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise click.UsageError(
                        f'"{log_safe(text)}" is not text in UTF-8'
                    ) from None


class Noun(click.Group):
    """The commands of a noun; its help has their sentences whole."""

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the verbs."""
        with formatter.section("Verbs"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=1000))
                    for name, command in sorted(self.commands.items())
                ]
            )


def noun_of(name: str, text: str) -> click.Group:
    """Return the group of a noun's commands."""
    return Noun(
        name,
        help=text,
        no_args_is_help=True,
        subcommand_metavar="VERB [ARGS]...",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def verb(
    noun: click.Group, name: str
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command of a noun."""
    return noun.command(name, cls=Leaf)


def watching(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command at whose result one looks twice."""
    every = click.option(
        "--watch",
        is_flag=False,
        flag_value=LOOK,
        type=Seconds(min=0.1),
        metavar="[SECONDS]",
        help=f"Look again and again [every {LOOK:g} s].",
    )
    times = click.option(
        "--times",
        type=click.IntRange(min=1),
        metavar="N",
        help="End after so many looks, with --watch.",
    )
    return every(times(function))


def confirming(function: Callable[..., None]) -> Callable[..., None]:
    """Add the option that skips the question before something is destroyed."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def pairs(values: tuple[str, ...], what: str) -> dict[str, str]:
    """
    Return ``name=value`` arguments as a table.

    :raises click.UsageError: one has no name.
    """
    table = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.UsageError(f'"{text}" is no {what}; expected NAME=VALUE')
        if name in table:
            raise click.UsageError(f'the {what} "{name}" is named twice')
        table[name] = value
    return table


__all__ = [
    "Invocation",
    "Leaf",
    "Surroundings",
    "confirming",
    "noun_of",
    "pairs",
    "verb",
    "watching",
]
