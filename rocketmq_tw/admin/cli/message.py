"""``rocketmq-admin message``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

import click

from rocketmq_tw.admin.cli.bodies import FORMS, as_json, page_as_json
from rocketmq_tw.admin.cli.drawing import draw_list, draw_message
from rocketmq_tw.admin.cli.invocation import Invocation, noun_of, pairs, verb
from rocketmq_tw.admin.cli.options import Seconds
from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.cli.running import OK
from rocketmq_tw.admin.cli.when import parse_time
from rocketmq_tw.admin.results.messages import (
    DirectResult,
    Found,
    FoundMessage,
    Page,
    Sent,
    Track,
)
from rocketmq_tw.model.topic import TRACE_TOPIC

if TYPE_CHECKING:
    from datetime import datetime

    from rocketmq_tw.admin.client import AdminClient
    from rocketmq_tw.admin.results.traces import MessageTrace

noun = noun_of("message", "Messages: find, show, follow, send.")
#: Bytes of a body that is sent: a producer's limit, and that of brokers unless they are
#: set to another.
_MAX_BODY = 4 << 20


def _body(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of how bodies are printed."""
    form = click.option(
        "--body", "form", type=click.Choice(FORMS), default="auto", help="[auto]"
    )
    full = click.option("--full", is_flag=True, help="Print long bodies whole.")
    return form(full(function))


@verb(noun, "show")
@click.argument("message_id")
@click.option("--topic", help="Needed for the id that a producer made.")
@_body
def show(
    ask: Invocation, message_id: str, topic: str | None, form: str, full: bool
) -> None:
    """Show a message, by either kind of id."""
    ask.show(
        lambda admin: admin.messages.get(message_id, topic),
        lambda found, output: draw_message(found, output, form, full),
        to_json=lambda found: as_json(found, form),
    )


@verb(noun, "find")
@click.argument("topic")
@click.option("--key", help="With this key.")
@click.option("--since", metavar="TIME", help="Stored then or later: 2h-ago, ISO 8601.")
@click.option("--until", metavar="TIME", help="Stored before or then.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=64, help="[64]")
@click.option("--cursor", help="Continue after a page, with --since.")
@_body
def find(
    ask: Invocation,
    topic: str,
    key: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    form: str,
    full: bool,
) -> None:
    """Find messages by key, or in a span of time, oldest first."""
    if key is None and since is None and cursor is None:
        raise click.UsageError("say what to look for: --key or --since")

    async def search(admin: AdminClient) -> Found | Page:
        now = now_of(admin)
        begin = None if since is None else parse_time(since, now)
        end = None if until is None else parse_time(until, now)
        if begin is not None and end is not None and end < begin:
            raise click.UsageError("--until is before --since")
        if key is not None:
            return await admin.messages.by_key(
                topic, key, begin=begin, end=end, limit=limit
            )
        return await admin.messages.by_time(topic, begin or now, end, limit, cursor)

    def draw(found: Found | Page, output: Output) -> None:
        draw_list(found.messages, output, form, full)
        if isinstance(found, Page) and found.cursor:
            output.line(f"there are more: --cursor {found.cursor}")
        elif isinstance(found, Found) and not found.is_complete:
            output.line(f"there may be older ones: {_older(found, limit)}")

    def to_json(found: Found | Page) -> object:
        if isinstance(found, Page):
            return page_as_json(found, form)
        return {
            "messages": [as_json(each, form) for each in found.messages],
            "is_complete": found.is_complete,
            "failed": found.failed,
        }

    ask.show(search, draw, to_json=to_json)


@verb(noun, "at")
@click.argument("topic")
@click.argument("queue", metavar="BROKER/QUEUE")
@click.argument("offset", type=click.IntRange(0, (1 << 63) - 1))
@click.option("--limit", type=click.IntRange(1, 1000), default=1, help="[1]")
@_body
def at(
    ask: Invocation,
    topic: str,
    queue: str,
    offset: int,
    limit: int,
    form: str,
    full: bool,
) -> None:
    """Show messages of a queue, from an offset on."""
    broker, _, number = queue.rpartition("/")
    if not broker or not number.isdecimal() or len(number) > 9:
        raise click.UsageError(f'"{queue}" is no queue; expected broker-a/3')

    def draw(found: tuple[FoundMessage, ...], output: Output) -> None:
        if len(found) == 1:
            draw_message(found[0], output, form, full)
        else:
            draw_list(found, output, form, full)

    ask.show(
        lambda admin: admin.messages.by_offset(
            topic, broker, int(number), offset, limit
        ),
        draw,
        to_json=lambda found: [as_json(each, form) for each in found],
    )


@verb(noun, "tail")
@click.argument("topic")
@click.option("--tag", help="Only with this tag; several: 'A || B'.")
@click.option("--sql", help="Only where this is true: 'price > 10'.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many.")
@_body
def tail(
    ask: Invocation,
    topic: str,
    tag: str | None,
    sql: str | None,
    count: int | None,
    form: str,
    full: bool,
) -> None:
    """Print the messages of a topic as they come."""
    if tag and sql:
        raise click.UsageError("--tag and --sql exclude each other")

    def say(queue: str, why: str | None) -> None:
        ask.output.warn(f"{queue}: {why or 'is read again'}")

    async def follow(admin: AdminClient) -> int:
        left = count
        expression = _expression(tag, sql)
        watched = admin.messages.tail(topic, expression, on_failing=say)
        async with watched as messages:
            async for message in messages:
                if ask.as_json:
                    ask.output.json(as_json(message, form), one_line=True)
                else:
                    draw_list([message], ask.output, form, full, headers=False)
                left = None if left is None else left - 1
                if left == 0:
                    break
        return OK

    ask.run(follow)


def _older(found: Found, limit: int) -> str:
    """Return how older messages with a key are found."""
    if len(found.messages) >= limit:
        return "give --limit"
    if not found.messages or found.messages[0].stored is None:
        return "give --until"
    return f"give --until {found.messages[0].stored.isoformat()}"


def _expression(tag: str | None, sql: str | None) -> str:
    """Return what chooses messages."""
    if sql is None:
        return tag or "*"
    from rocketmq_tw.client.consumer.expressions import Sql

    return Sql(sql)


@verb(noun, "send")
@click.argument("topic")
@click.argument("body", required=False)
@click.option("--file", "path", type=click.File("rb"), help="Read the body.")
@click.option("--tag")
@click.option("--key", "keys", multiple=True, help="To find it by.")
@click.option("--property", "properties", multiple=True, metavar="NAME=VALUE")
@click.option("--delay", type=Seconds(min=0), help="Seconds to delivery.")
@click.option("--order-key", help="Messages with equal keys go to one queue.")
def send(
    ask: Invocation,
    topic: str,
    body: str | None,
    path: BinaryIO | None,
    tag: str | None,
    keys: tuple[str, ...],
    properties: tuple[str, ...],
    delay: float | None,
    order_key: str | None,
) -> None:
    """Send a message of at most 4 MiB.

    The body is BODY, the content of a file, or what comes on the standard input if BODY
    is "-" or neither is given.
    """
    if body == "-" or (body is None and path is None):
        ask.note_input("the body")
    content = _content(body, path)
    given = pairs(properties, "property")

    def draw(found: Sent, output: Output) -> None:
        output.fields(
            [
                ("message id", found.message_id),
                ("offset id", found.offset_id),
                ("queue", f"{found.broker}/{found.queue_id}"),
                ("queue offset", found.queue_offset),
                ("status", found.status),
            ]
        )

    ask.show(
        lambda admin: admin.messages.send(
            topic,
            content,
            tag=tag,
            keys=keys,
            properties=given,
            delay=delay,
            key=order_key,
        ),
        draw,
    )


def _content(body: str | None, path: BinaryIO | None) -> bytes:
    """
    Return the body that was given.

    :raises click.UsageError: there are two, or it is too large.
    """
    if body is not None and path is not None:
        raise click.UsageError("BODY and --file exclude each other")
    if body is not None and body != "-":
        return body.encode("utf-8", "surrogateescape")
    content = (path or sys.stdin.buffer).read(_MAX_BODY + 1)
    if len(content) > _MAX_BODY:
        raise click.UsageError(
            f"the body has more than {_MAX_BODY >> 20} MiB, and a message has that at"
            " most"
        )
    return content


@verb(noun, "track")
@click.argument("message_id")
@click.option("--topic", help="Needed for the id that a producer made.")
def track(ask: Invocation, message_id: str, topic: str | None) -> None:
    """Show which groups have consumed a message."""

    async def ask_groups(admin: AdminClient) -> tuple[Track, ...]:
        message = await admin.messages.get(message_id, topic)
        return await admin.messages.track(message)

    def draw(found: tuple[Track, ...], output: Output) -> None:
        output.table(
            ["group", "state", "why"], [[t.group, t.state, t.why] for t in found]
        )

    ask.show(ask_groups, draw)


@verb(noun, "trace")
@click.argument("message_id")
@click.option("--trace-topic", default=TRACE_TOPIC, help=f"[{TRACE_TOPIC}]")
@click.option("--since", metavar="TIME", help="Traced then or later: 2h-ago, ISO 8601.")
@click.option("--limit", type=click.IntRange(1, 1000), default=64, help="[64]")
def trace(
    ask: Invocation, message_id: str, trace_topic: str, since: str | None, limit: int
) -> None:
    """Show who has sent and consumed a message, if its clients trace."""

    async def look(admin: AdminClient) -> MessageTrace:
        begin = None if since is None else parse_time(since, now_of(admin))
        return await admin.messages.trace(
            message_id, topic=trace_topic, begin=begin, limit=limit
        )

    def draw(found: MessageTrace, output: Output) -> None:
        from rocketmq_tw.admin.cli.traces import draw_trace

        draw_trace(found, output)

    ask.show(look, draw)


@verb(noun, "consume")
@click.argument("message_id")
@click.argument("group")
@click.argument("client_id")
@click.option("--topic", help="Needed for the id that a producer made.")
def consume(
    ask: Invocation, message_id: str, group: str, client_id: str, topic: str | None
) -> None:
    """Let one consumer consume a message now."""

    async def give(admin: AdminClient) -> DirectResult:
        message = await admin.messages.get(message_id, topic)
        return await admin.messages.consume(group, client_id, message)

    def draw(found: DirectResult, output: Output) -> None:
        output.fields(
            [
                ("result", found.result),
                ("remark", found.remark),
                ("seconds", found.seconds),
            ]
        )

    ask.show(give, draw)


def now_of(admin: AdminClient) -> datetime:
    """Return the time of day of this host."""
    from datetime import UTC, datetime

    from rocketmq_tw.clock import wall_time

    return datetime.fromtimestamp(wall_time(admin.calls.session.clock)(), UTC)
