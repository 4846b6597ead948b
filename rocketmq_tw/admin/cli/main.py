"""The nouns of ``rocketmq-admin``, and the options that all commands have."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import click
from click.exceptions import Exit

from rocketmq_tw.admin.cli.imports import import_quickly
from rocketmq_tw.admin.cli.options import COMMON, take_common
from rocketmq_tw.admin.cli.output import print_error
from rocketmq_tw.admin.cli.running import INTERRUPTED, REFUSED, USAGE
from rocketmq_tw.admin.cli.streams import discard_output, prepare_streams

#: The nouns, with the modules of their commands, and what they are about.
NOUNS: Final = {
    "cluster": ("cluster", "The state of name servers and brokers."),
    "topic": ("topic", "Topics: list, show, create, change, delete."),
    "group": ("group", "Consumer groups: how far they have read, members, resets."),
    "client": ("client", "Connected clients, and what consumers do."),
    "message": ("message", "Messages: find, show, follow, send."),
    "dlq": ("dlq", "Dead letters: list, show, send again."),
    "broker": ("broker", "Brokers: settings, statistics, replication."),
    "nameserver": ("nameserver", "Name servers: settings and keys."),
    "user": ("user", "Users of ACL 2.0, and what each of them may do."),
    "doctor": ("doctor", "Find out what is wrong with a cluster."),
    "completion": ("completion", "Print what makes a shell complete the commands."),
}

EPILOG = """\
Exit codes: 0 done; 1 what is named does not exist, a server refused, or the doctor
found something; 2 the command line is wrong; 3 no server could be reached; 4 done in
part: some servers failed; 130 interrupted; 141 the output's reader has closed it.
"""


_AS_JSON = "rocketmq_tw.json"


@contextmanager
def _errors_in_json(as_json: bool) -> Iterator[None]:
    """
    Print a wrong command line as JSON, if that is asked for.

    The option may be behind what is wrong, so it is looked for before it is parsed.
    """
    try:
        yield
    except click.UsageError as error:
        if not as_json:
            raise
        print_error(error.format_message(), "UsageError")
        raise Exit(USAGE) from None


@contextmanager
def _interrupted() -> Iterator[None]:
    """End with the code of an interruption, also before there is a reactor."""
    try:
        yield
    except KeyboardInterrupt:
        raise Exit(INTERRUPTED) from None
    except click.Abort as error:
        # Of a question: it was interrupted, or the answer was no.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise Exit(INTERRUPTED) from None
        raise


class Nouns(click.Group):
    """Imports the commands of a noun when it is used."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the options of the root; remember in what form errors are printed."""
        as_json = "--json" in args
        with _interrupted(), _errors_in_json(as_json):
            ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta[_AS_JSON] = as_json
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        """Parse the rest, and run the command."""
        with _interrupted(), _errors_in_json(ctx.meta[_AS_JSON]):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the commands of a noun; propose another for one that is none."""
        name = args[0]
        if name in NOUNS or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        like = " or ".join(f"'{each}'" for each in get_close_matches(name, NOUNS))
        proposed = f" Did you mean {like}?" if like else ""
        raise click.UsageError(f"No such noun '{name}'.{proposed}", ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all nouns, the most used first."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the commands of a noun; None if there is no such noun."""
        known = NOUNS.get(cmd_name)
        if known is None:
            return None
        module = import_module(f"rocketmq_tw.admin.cli.{known[0]}")
        found: click.Command = module.noun
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the nouns for the help, without importing them."""
        with formatter.section("Nouns"):
            formatter.write_dl([(name, text) for name, (_, text) in NOUNS.items()])


def _root(ctx: click.Context, **values: object) -> None:
    """Keep the options that stand before the noun."""
    take_common(ctx, values)


def _version() -> click.Option:
    """Return the option that prints the version; it is looked up only then."""

    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            from importlib.metadata import version

            click.echo(f"rocketmq-admin {version('rocketmq-tw')}")
            ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print the version.",
    )


cli = Nouns(
    name="rocketmq-admin",
    callback=click.pass_context(_root),
    params=[*COMMON(), _version()],
    help="Inspect and change a cluster of RocketMQ.\n\nOptions may stand before the"
    " noun or behind the command.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    subcommand_metavar="NOUN VERB [ARGS]...",
)


def main() -> None:
    """Run the program; see ``[project.scripts]``."""
    import_quickly()
    prepare_streams()
    try:
        cli(prog_name="rocketmq-admin")
    except OSError as error:
        # Of the output: what a command prints is looked after where it runs.
        discard_output()
        click.echo(f"error: {error}", err=True)
        sys.exit(REFUSED)
