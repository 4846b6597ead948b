"""``rocketmq-admin dlq``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rocketmq_tw.admin.cli.bodies import FORMS, page_as_json
from rocketmq_tw.admin.cli.drawing import draw_list
from rocketmq_tw.admin.cli.invocation import (
    Invocation,
    confirming,
    noun_of,
    verb,
    watching,
)
from rocketmq_tw.admin.cli.message import now_of
from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.cli.progress import progress
from rocketmq_tw.admin.cli.when import parse_time
from rocketmq_tw.admin.results.messages import DeadLetterQueues, Page, Resend, Resent

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient

noun = noun_of("dlq", "Dead letters: list, show, send again.")


@verb(noun, "list")
@watching
def list_(ask: Invocation, watch: float | None, times: int | None) -> None:
    """List the groups that have dead letters."""

    def draw(found: DeadLetterQueues, output: Output) -> None:
        output.table(
            ["group", "dead letters", "last one"],
            [[q.group, q.messages, q.last_update] for q in found.queues],
        )

    ask.show(lambda admin: admin.dead_letters.list(), draw, watch=watch, times=times)


@verb(noun, "show")
@click.argument("group")
@click.option("--since", metavar="TIME", help="Dead then or later: 2h-ago, ISO 8601.")
@click.option("--limit", type=click.IntRange(1, 1000), default=64, help="[64]")
@click.option("--cursor", help="Continue after a page.")
@click.option("--body", "form", type=click.Choice(FORMS), default="auto", help="[auto]")
@click.option("--full", is_flag=True, help="Print the bodies whole.")
def show(
    ask: Invocation,
    group: str,
    since: str | None,
    limit: int,
    cursor: str | None,
    form: str,
    full: bool,
) -> None:
    """Show the dead letters of a group, oldest first."""

    async def read(admin: AdminClient) -> Page:
        begin = None if since is None else parse_time(since, now_of(admin))
        return await admin.dead_letters.browse(group, begin, None, limit, cursor)

    def draw(found: Page, output: Output) -> None:
        draw_list(found.messages, output, form, full)
        if found.cursor:
            output.line(f"there are more: --cursor {found.cursor}")

    ask.show(read, draw, to_json=lambda found: page_as_json(found, form))


@verb(noun, "resend")
@click.argument("group")
@click.argument("message_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of the group.")
@click.option("--since", metavar="TIME", help="With --all: dead then or later.")
@click.option("--again", is_flag=True, help="Also those that were sent again before.")
@confirming
def resend(
    ask: Invocation,
    group: str,
    message_ids: tuple[str, ...],
    everything: bool,
    since: str | None,
    again: bool,
    yes: bool,
) -> None:
    """Send dead letters again, to the topics in which they were first.

    All groups that read the topic get them. The dead letters themselves are kept;
    those of which a copy was sent before are skipped.
    """
    if bool(message_ids) == everything:
        raise click.UsageError("name message ids, or give --all")
    message_ids = tuple(dict.fromkeys(message_ids))  # each is sent once
    what = "all dead letters" if everything else f"{len(message_ids)} dead letters"
    which = " even if they were sent before" if again else ""
    ask.confirm(f"Send {what} of {group!r} again{which}?", yes)

    async def send(admin: AdminClient) -> Resent:
        from rocketmq_tw.admin.errors import RefusedByAll

        if everything:
            begin = None if since is None else parse_time(since, now_of(admin))
            sent = await _resend_all(admin, group, begin, again)
        else:
            sent = await admin.dead_letters.resend(group, message_ids, again=again)
        if sent.failed and not sent.ok and not sent.skipped:
            raise RefusedByAll("no dead letter is sent", sent.failed)
        return sent

    def draw(found: Resent, output: Output) -> None:
        output.table(
            ["dead letter", "sent as", "to"],
            [[r.message_id, r.new_message_id, r.topic] for r in found.ok],
        )
        if found.skipped:
            output.line(
                f"{len(found.skipped)} skipped, which were sent before: --again sends"
                " them once more"
            )

    ask.show(send, draw)


async def _resend_all(
    admin: AdminClient, group: str, begin: object, again: bool
) -> Resent:
    """Send page after page, up to those that are there now."""
    from datetime import datetime

    from rocketmq_tw.admin.texts import sentence
    from rocketmq_tw.model.errors import RocketMQError

    assert begin is None or isinstance(begin, datetime)
    queues = (await admin.dead_letters.list()).queues
    total = sum(each.messages for each in queues if each.group == group)
    done: list[Resend] = []
    skipped: list[Resend] = []
    failed: dict[str, str] = {}
    cursor: str | None = None
    end = now_of(admin)
    with progress("sending", total) as advance:
        while True:
            try:
                page = await admin.dead_letters.browse(group, begin, end, 64, cursor)
            except RocketMQError as error:
                if not done:
                    raise
                # What was sent has to be known, or it would be sent twice.
                failed["rest"] = sentence(error)
                return Resent(group, tuple(done), failed, tuple(skipped))
            failed.update(page.failed)
            for letter in page.messages:
                sent = await admin.dead_letters.resend(group, [letter], again=again)
                done += sent.ok
                skipped += sent.skipped
                failed.update(sent.failed)
                advance(1)
            cursor = page.cursor
            if cursor is None:
                return Resent(group, tuple(done), failed, tuple(skipped))
