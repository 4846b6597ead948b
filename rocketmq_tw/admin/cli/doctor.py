"""``rocketmq-admin doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rocketmq_tw.admin.cli.invocation import Invocation, Leaf
from rocketmq_tw.admin.cli.options import Seconds
from rocketmq_tw.admin.cli.output import Output, cell
from rocketmq_tw.admin.cli.running import OK, REFUSED
from rocketmq_tw.model.log_safe import log_safe

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient
    from rocketmq_tw.admin.doctor.finding import Finding

_COLOURS = {"fault": "red", "warning": "yellow", "note": "cyan"}


@click.command("doctor", cls=Leaf)
@click.option("--topic", help="Also find out why this topic has no route.")
@click.option("--group", help="Look at this group only.")
@click.option(
    "--wait",
    type=Seconds(0, 3600),
    default=5.0,
    metavar="SECONDS",
    help="Between two looks at the lag of groups [5].",
)
def noun(ask: Invocation, topic: str | None, group: str | None, wait: float) -> None:
    """
    Find out what is wrong with a cluster, in plain words.

    Dials all name servers and brokers. The exit code is 1 if there is a fault or a
    warning. With --json each finding is a line.
    """

    async def examine(admin: AdminClient) -> int:
        code, count = OK, 0
        async for found in admin.doctor(topic=topic, group=group, wait=wait):
            count += 1
            code = REFUSED if found.is_fault else code
            _print(found, ask.output)
        if not ask.as_json and not count:
            ask.output.line("nothing is wrong, as far as can be seen from here")
        return code

    ask.run(examine)


def _print(found: Finding, output: Output) -> None:
    """Print one finding."""
    if output.as_json:
        output.json(found, one_line=True)
        return
    severity = click.style(f"{found.severity:<8}", fg=_COLOURS[found.severity])
    output.line(f"{severity} {cell(found.subject)}: {log_safe(found.sentence, 1000)}")
    if found.advice:
        output.line(f"         -> {log_safe(found.advice, 1000)}")
    output.line(f"         [{found.fault}]")
